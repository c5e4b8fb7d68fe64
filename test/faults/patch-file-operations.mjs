/**
 * Puts a function in front of every file operation of this thread. Import it before the code under test, in a preload
 * (`node --import`), which worker threads inherit.
 *
 * @typedef {object} FileOperation
 * @property {string} name as in node:fs, for paths and file handles alike; `create` and `createSync` for an open that
 * may create the file
 * @property {string} path the file; the new name for a rename
 * @property {boolean} blocking returns a value, not a promise
 * @property {() => unknown} perform does the operation and returns its result
 * @property {(() => unknown) | undefined} half does the first half, blocking, and returns the result of a short
 * operation; undefined for operations that move no bytes or one byte
 */
import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const PATH_OPERATIONS = [
  'access',
  'lstat',
  'mkdir',
  'readFile',
  'readdir',
  'rename',
  'rm',
  'rmdir',
  'stat',
  'statfs',
  'truncate',
]
const HANDLE_OPERATIONS = ['readFile', 'stat', 'sync', 'datasync', 'truncate', 'close']
const DESCRIPTOR_OPERATIONS = ['fstatSync', 'ftruncateSync', 'closeSync']

/** The original functions. */
export const real = { ...fs }

/** `around` runs in place of the operation, which `operation.perform()` does. */
export function patchFileOperations(around) {
  const pathOf = new Map()

  for (const name of PATH_OPERATIONS) {
    const original = promises[name]
    promises[name] = async (...args) =>
      around({
        name,
        path: String(name === 'rename' ? args[1] : args[0]),
        blocking: false,
        perform: () => original(...args),
        half: undefined,
      })
  }
  const { writeFile, open } = promises
  promises.writeFile = async (path, data, ...rest) =>
    around({
      name: 'writeFile',
      path: String(path),
      blocking: false,
      perform: () => writeFile(path, data, ...rest),
      half: data.length > 1 ? () => real.writeFileSync(path, data.slice(0, data.length >> 1), ...rest) : undefined,
    })
  promises.open = async (path, ...rest) => {
    const handle = await around({
      name: makes(rest[0]) ? 'create' : 'open',
      path: String(path),
      blocking: false,
      perform: () => open(path, ...rest),
      half: undefined,
    })
    patchHandle(handle, String(path), around)
    return handle
  }

  fs.openSync = (path, ...rest) => {
    const fd = around({
      name: makes(rest[0]) ? 'createSync' : 'openSync',
      path: String(path),
      blocking: true,
      perform: () => real.openSync(path, ...rest),
      half: undefined,
    })
    pathOf.set(fd, String(path))
    return fd
  }
  for (const name of DESCRIPTOR_OPERATIONS) {
    fs[name] = (fd, ...rest) =>
      around({
        name,
        path: pathOf.get(fd) ?? '',
        blocking: true,
        perform: () => real[name](fd, ...rest),
        half: undefined,
      })
  }
  fs.statfsSync = (path, ...rest) =>
    around({
      name: 'statfsSync',
      path: String(path),
      blocking: true,
      perform: () => real.statfsSync(path, ...rest),
      half: undefined,
    })
  for (const name of ['readSync', 'writeSync']) {
    fs[name] = (fd, bytes, offset, length, position) =>
      around({
        name,
        path: pathOf.get(fd) ?? '',
        blocking: true,
        perform: () => real[name](fd, bytes, offset, length, position),
        half: length > 1 ? () => real[name](fd, bytes, offset, length >> 1, position) : undefined,
      })
  }
  fs.writevSync = (fd, parts, position) =>
    around({
      name: 'writevSync',
      path: pathOf.get(fd) ?? '',
      blocking: true,
      perform: () => real.writevSync(fd, parts, position),
      half: bytesOf(parts) > 1 ? () => real.writevSync(fd, firstHalf(parts), position) : undefined,
    })
  syncBuiltinESMExports()
}

function patchHandle(handle, path, around) {
  const own = (name, halfOf) => {
    const original = handle[name].bind(handle)
    handle[name] = async (...args) =>
      around({ name, path, blocking: false, perform: () => original(...args), half: halfOf?.(...args) })
  }
  for (const name of HANDLE_OPERATIONS) own(name)
  own('write', (buffer, offset, length, position) =>
    length > 1
      ? () => ({ bytesWritten: real.writeSync(handle.fd, buffer, offset, length >> 1, position), buffer })
      : undefined,
  )
  own('read', (buffer, offset, length, position) =>
    length > 1
      ? () => ({ bytesRead: real.readSync(handle.fd, buffer, offset, length >> 1, position), buffer })
      : undefined,
  )
  own('writev', (buffers, position) =>
    bytesOf(buffers) > 1
      ? () => ({ bytesWritten: real.writevSync(handle.fd, firstHalf(buffers), position), buffers })
      : undefined,
  )
  own('readv', (buffers, position) =>
    bytesOf(buffers) > 1
      ? () => ({ bytesRead: real.readvSync(handle.fd, firstHalf(buffers), position), buffers })
      : undefined,
  )
}

/** Whether an open with these flags may create the file. */
function makes(flags = 'r') {
  return typeof flags === 'number' ? (flags & fs.constants.O_CREAT) !== 0 : /^[wa]/.test(flags)
}

function bytesOf(parts) {
  return parts.reduce((sum, { byteLength }) => sum + byteLength, 0)
}

function firstHalf(parts) {
  let left = bytesOf(parts) >> 1
  const taken = []
  for (const part of parts) {
    if (left === 0) break
    const bytes = new Uint8Array(part.buffer, part.byteOffset, Math.min(left, part.byteLength))
    left -= bytes.byteLength
    taken.push(bytes)
  }
  return taken
}
