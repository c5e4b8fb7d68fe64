/** Preloaded: the process gets its signal as soon as it listens, while the rest is still being loaded. */
const { SIGNAL_WHILE_LOADING: signal } = process.env

process.on('newListener', function onListener(name) {
  if (name !== signal) return
  process.off('newListener', onListener)
  process.nextTick(() => process.kill(process.pid, signal))
})
