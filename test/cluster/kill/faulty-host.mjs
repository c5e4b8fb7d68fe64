/**
 * Preloaded (`node --import`) into a worker process, to make it a host that misbehaves as FAULTY_HOST (JSON) says:
 * `clockSeconds`: its clock is ahead by so much. `refuse`: `{ path, name, code, times }`: operations on files whose path
 * matches fail with this code, the first `times` of each thread. `delay`: `{ path, name, ms, times }`: they wait.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { patchFileOperations } from '../../faults/patch-file-operations.mjs'

const { clockSeconds = 0, refuse, delay } = JSON.parse(process.env.FAULTY_HOST)

if (clockSeconds !== 0) {
  const now = Date.now
  Date.now = () => now() + 1000 * clockSeconds
}

function matcher({ path, name = '', times }) {
  const [paths, names] = [new RegExp(path), new RegExp(name)]
  let left = times
  return (operation) => left > 0 && paths.test(operation.path) && names.test(operation.name) && left-- > 0
}

if (refuse !== undefined) {
  const isRefused = matcher(refuse)
  patchFileOperations((operation) => {
    if (!isRefused(operation)) return operation.perform()
    const message = `${refuse.code}: injected, ${operation.name} '${operation.path}'`
    const error = Object.assign(new Error(message), {
      code: refuse.code,
      syscall: operation.name,
      path: operation.path,
    })
    if (operation.blocking) throw error
    return Promise.reject(error)
  })
}

if (delay !== undefined) {
  const isLate = matcher(delay)
  patchFileOperations((operation) => {
    if (!isLate(operation)) return operation.perform()
    if (!operation.blocking) return sleep(delay.ms).then(operation.perform)
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, delay.ms)
    return operation.perform()
  })
}
