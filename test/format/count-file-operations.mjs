/**
 * Preloaded (`node --import`) into a process whose file operations are counted. TRACE_FILE gets a line for each that
 * ended, and one (`syncing`) for each sync that begins; before operation KILL_AT the process dies by SIGKILL, in the middle of it with KILL_TORN when it writes.
 */
import { patchFileOperations, real } from '../faults/patch-file-operations.mjs'

const killAt = Number(process.env.KILL_AT ?? Infinity)
const torn = process.env.KILL_TORN === '1'
const trace = process.env.TRACE_FILE
/** Killed before these, a process has done the same as when it is killed before the next one that changes something. */
const CHANGES_NOTHING = new Set([
  'lstat',
  'close',
  'closeSync',
  'fstatSync',
  'read',
  'readv',
  'readSync',
  'statfs',
  'statfsSync',
])
const TRACED_AS = { writeSync: 'write', writev: 'write', writevSync: 'write', datasync: 'sync' }
let count = 0

function note(name, path) {
  if (trace !== undefined) real.appendFileSync(trace, `${TRACED_AS[name] ?? name} ${path}\n`)
}

patchFileOperations((operation) => {
  const { name, path, blocking, perform, half } = operation
  if (CHANGES_NOTHING.has(name)) return perform()
  if (++count >= killAt) {
    if (torn && name.startsWith('write')) half?.()
    process.kill(process.pid, 'SIGKILL')
    // The signal may take a moment; nothing more is to happen until it does.
    for (;;);
  }
  if (name === 'sync' || name === 'datasync') note('syncing', path)
  if (blocking) {
    const result = perform()
    note(name, path)
    return result
  }
  return perform().then((result) => {
    note(name, path)
    return result
  })
})
