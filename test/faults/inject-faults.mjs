/**
 * Preloaded (`node --import`) into a process to inject faults into its builds. The fault and the log are in memory that
 * all threads share: see FaultControl.
 *
 * A site is a thread (main or worker), an operation and a kind of file, such as `worker writeSync gen-#/vectors-#.seg`.
 * A fault hits the nth operation of one site: the same operation each time, however threads interleave.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'
import { FaultControl, siteOf } from './fault-control.mjs'
import { patchFileOperations } from './patch-file-operations.mjs'

const KEY = 'shardloom fault control'
const control = new FaultControl(isMainThread ? undefined : getEnvironmentData(KEY))
if (isMainThread) {
  setEnvironmentData(KEY, control.memory)
  globalThis.faultControl = control
}

const thread = isMainThread ? 'main' : 'worker'
const DELAY_MS = 60
const cell = new Int32Array(new SharedArrayBuffer(4))

function systemError(code, { name, path }) {
  return Object.assign(new Error(`${code}: injected, ${name} '${path}'`), { code, syscall: name, path, errno: -1 })
}

/** Returns or throws in place of the operation. */
function fault(operation, kind) {
  const { name, blocking, perform, half } = operation
  if (kind === 'short') return half()
  if (kind === 'delayed') {
    if (!blocking) return sleep(DELAY_MS).then(perform)
    Atomics.wait(cell, 0, 0, DELAY_MS)
    return perform()
  }
  if (kind === 'torn') half()
  const error = systemError(kind === 'torn' ? 'EIO' : kind, operation)
  // A close that fails has closed the file all the same.
  if (name === 'closeSync') perform()
  if (name === 'close') {
    return perform().then(() => {
      throw error
    })
  }
  throw error
}

patchFileOperations((operation) => {
  const relative = control.relative(operation.path)
  if (relative === undefined) return operation.perform()
  const site = siteOf(thread, operation.name, relative)
  const ended = () => control.log(thread, operation.name, relative)
  const kind = control.faultAt(site)
  let result
  try {
    result = kind === undefined ? operation.perform() : fault(operation, kind)
  } catch (error) {
    ended()
    throw error
  }
  if (operation.blocking) {
    ended()
    return result
  }
  return Promise.resolve(result).finally(ended)
})
