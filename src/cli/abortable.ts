import { AbortedError } from '../errors.js'

/**
 * The same items, ended by the signal even while waiting for the next one: a pipe may never give it.
 * @throws AbortedError
 */
export async function* abortable<Item>(items: AsyncIterable<Item>, signal: AbortSignal): AsyncGenerator<Item> {
  const iterator = items[Symbol.asyncIterator]()
  let abort: () => void = () => undefined
  const aborted = new Promise<'aborted'>((resolve) => {
    abort = () => resolve('aborted')
  })
  signal.addEventListener('abort', abort)
  let waiting = false
  try {
    for (;;) {
      if (signal.aborted) throw new AbortedError(signal.reason)
      const next = iterator.next()
      waiting = true
      const step = await Promise.race([next, aborted])
      if (step === 'aborted') {
        // Nobody will look at this item, nor at its failure when the file is closed under it.
        next.catch(() => undefined)
        throw new AbortedError(signal.reason)
      }
      waiting = false
      if (step.done === true) return
      yield step.value
    }
  } finally {
    signal.removeEventListener('abort', abort)
    // A generator that waits would answer return() only after its item came.
    if (!waiting) await iterator.return?.()
  }
}
