import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { knowsTheFlag } from '../../kernel/wide-tile.js'

const MODULE = fileURLToPath(new URL('../../dist/kernel/wide-tile.js', import.meta.url))
const FLAG = '--experimental-wasm-revectorize'

/** What a process and a thread of it answer, and what they print besides. */
function askProcess(said: string | undefined, options: { prefer?: boolean; flags?: string[] } = {}): unknown {
  const program = `
    import { Worker } from 'node:worker_threads'
    const tile = await import(${JSON.stringify(MODULE)})
    ${options.prefer === true ? 'tile.preferWideTile()' : ''}
    const own = tile.tileName()
    const inThread = 'Promise.all([import(' + JSON.stringify(${JSON.stringify(MODULE)}) + '), import("node:worker_threads")])' +
      '.then(([tile, { parentPort }]) => parentPort.postMessage(tile.tileName()))'
    new Worker(inThread, { eval: true }).on('message', (thread) => console.log(JSON.stringify([own, thread])))`
  const { SHARDLOOM_WIDE: _, ...env } = process.env
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [...(options.flags ?? []), '--input-type=module', '--eval', program],
    { encoding: 'utf8', env: said === undefined ? env : { ...env, SHARDLOOM_WIDE: said } },
  )
  expect(stderr).toBe('')
  return JSON.parse(stdout)
}

describe('knowsTheFlag', () => {
  const linux = { platform: 'linux', arch: 'x64' } as const
  it.each([
    ['Node.js 24 on Linux', { ...linux, versions: { node: '24.0.0' } }, true],
    ['Node.js 26 on Windows', { ...linux, platform: 'win32' as const, versions: { node: '26.10.0' } }, true],
    ['Node.js 22', { ...linux, versions: { node: '22.23.3' } }, false],
    ['a Node.js that was not tried', { ...linux, versions: { node: '27.0.0' } }, false],
    ['arm64', { ...linux, arch: 'arm64' as const, versions: { node: '24.0.0' } }, false],
    ['macOS', { ...linux, platform: 'darwin' as const, versions: { node: '24.0.0' } }, false],
    ['Bun', { ...linux, versions: { node: '24.3.0', bun: '1.3.0' } }, false],
    ['Deno', { ...linux, versions: { node: '24.2.0', deno: '2.4.0' } }, false],
  ])('%s: %j', (_, engine, expected) => expect(knowsTheFlag(engine)).toBe(expected))
})

describe('the tile of a process and its threads', () => {
  const preferred = knowsTheFlag(process) ? '4x16' : '4x8'
  it.each([
    ['is 4 x 8 when nothing is said', undefined, {}, '4x8'],
    ['is 4 x 16 with SHARDLOOM_WIDE=1, on any engine', '1', {}, '4x16'],
    [
      'is the wide one where a build has the process, and the engine knows the flag',
      undefined,
      { prefer: true },
      preferred,
    ],
    ['is 4 x 8 there with SHARDLOOM_WIDE=0', '0', { prefer: true }, '4x8'],
  ])('%s', (_, said, options, expected) => expect(askProcess(said, options)).toEqual([expected, expected]))

  it.runIf(knowsTheFlag(process))('is the wide one when Node.js was given the flag, unless forbidden', () => {
    expect(askProcess(undefined, { flags: [FLAG] })).toEqual(['4x16', '4x16'])
    expect(askProcess('0', { flags: [FLAG] })).toEqual(['4x8', '4x8'])
  })
})
