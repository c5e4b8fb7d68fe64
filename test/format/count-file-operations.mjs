/**
 * Preloaded (`node --import`) into a process whose file operations are counted. TRACE_FILE gets a line for each that
 * ended; before operation KILL_AT the process dies by SIGKILL, in the middle of it with KILL_TORN when it writes.
 */
import fs from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

const killAt = Number(process.env.KILL_AT ?? Infinity)
const torn = process.env.KILL_TORN === '1'
const trace = process.env.TRACE_FILE
const pathOf = new Map()
const real = { ...fs }
let count = 0

const note = (line) => {
  if (trace !== undefined) real.appendFileSync(trace, `${line}\n`)
}

function before(halfOfIt) {
  if (++count < killAt) return
  if (torn) halfOfIt?.()
  process.kill(process.pid, 'SIGKILL')
  // The signal may take a moment; nothing more is to happen until it does.
  for (;;);
}

for (const name of [
  'mkdir',
  'readFile',
  'rename',
  'rm',
  'rmdir',
  'stat',
  'truncate',
  'writeFile',
  'readdir',
  'access',
]) {
  const original = promises[name]
  promises[name] = async (...args) => {
    before()
    const result = await original(...args)
    note(`${name} ${name === 'rename' ? args[1] : args[0]}`)
    return result
  }
}

const open = promises.open
promises.open = async (path, ...rest) => {
  before()
  const handle = await open(path, ...rest)
  pathOf.set(handle.fd, path)
  for (const name of ['write', 'writev', 'sync', 'datasync', 'truncate']) {
    const original = handle[name].bind(handle)
    handle[name] = async (...args) => {
      before(() => {
        if (name === 'write') real.writeSync(handle.fd, args[0], args[1], Math.floor(args[2] / 2), args[3])
      })
      const result = await original(...args)
      note(`${name.replace('datasync', 'sync').replace('writev', 'write')} ${path}`)
      return result
    }
  }
  return handle
}

fs.openSync = (path, ...rest) => {
  before()
  const fd = real.openSync(path, ...rest)
  pathOf.set(fd, path)
  return fd
}
fs.writeSync = (fd, bytes, ...rest) => {
  before(() => real.writeSync(fd, bytes, rest[0], Math.floor(rest[1] / 2), rest[2]))
  const written = real.writeSync(fd, bytes, ...rest)
  note(`write ${pathOf.get(fd) ?? fd}`)
  return written
}
syncBuiltinESMExports()
