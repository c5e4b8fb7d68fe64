/**
 * Preloaded (`node --import`) into a process to count its file operations. TRACE_FILE gets a line for each operation
 * that ended, and a line (`syncing`) for each sync that begins. The process is killed by SIGKILL before operation
 * KILL_AT, or, with KILL_TORN, in the middle of it when it writes.
 */
import { patchFileOperations, real } from '../faults/patch-file-operations.mjs'

const killAt = Number(process.env.KILL_AT ?? Infinity)
const torn = process.env.KILL_TORN === '1'
const trace = process.env.TRACE_FILE
/** Operations that change nothing: a kill before one is the same as a kill before the next that does. */
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
    // The signal may take a moment: block until it arrives.
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
