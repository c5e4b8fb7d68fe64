/** Several builds and open indexes in one process. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { BuildReport, VectorBatch } from '../../dist/src/index.js'
import { batches, build, randomRows } from '../fixtures/builds.js'

const ROWS = randomRows(300, 16, 1)
const LIBRARY = fileURLToPath(new URL('../../dist/src/index.js', import.meta.url))

function besideNotes({ events }: BuildReport): string[] {
  return events.filter(({ message }) => message.includes('in this process')).map(({ message }) => message)
}

describe('a build beside another one of its process', () => {
  it('plans with what that one leaves, and says so; after it, with everything again', async () => {
    let open = (): void => undefined
    const gate = new Promise<void>((resolve) => (open = resolve))
    let begun = (): void => undefined
    const first = new Promise<void>((resolve) => (begun = resolve))
    async function* waiting(): AsyncGenerator<VectorBatch> {
      begun()
      await gate
      yield* batches(ROWS)
    }
    const long = build(waiting())
    await first
    const beside = await build(batches(ROWS))
    open()
    const alone = await long
    expect(besideNotes(beside.report)).toHaveLength(1)
    expect(besideNotes(beside.report)[0]).toMatch(/^1 other build runs in this process: planning with \d+ MB of the/)
    expect(beside.report.memoryBytes).toBeLessThan(0.7 * alone.report.memoryBytes)
    expect(besideNotes(alone.report)).toEqual([])
    expect(besideNotes((await build(batches(ROWS))).report)).toEqual([])
  })

  it('leaves no claim behind when it fails', async () => {
    await expect(build([{ id: 'a', vector: [Number.NaN] }])).rejects.toThrow()
    await expect(build(batches(ROWS), { count: 1e9, memory: '50MB' })).rejects.toThrow()
    expect(besideNotes((await build(batches(ROWS))).report)).toEqual([])
  })
})

describe.skipIf(process.platform !== 'linux')('open indexes under a limit of addresses', () => {
  const PROGRAM = `
    import { openIndex } from ${JSON.stringify(LIBRARY)}
    const open = []
    try {
      for (let i = 0; i < 6; i++) open.push(await openIndex(process.argv[1], { memory: '20MB' }))
    } catch (error) { console.log(error.code) }
    console.log(open.length)
  `
  const openedWith = (path: string, flags: readonly string[]): string[] => {
    const node = [process.execPath, ...flags, '--input-type=module', '-e', PROGRAM, path]
    const limited = spawnSync('sh', ['-c', 'ulimit -v 32000000; exec "$@"', 'sh', ...node], { encoding: 'utf8' })
    return limited.stdout.trim().split('\n')
  }

  it('are refused with a fix that works', async () => {
    const { path } = await build(batches(ROWS))
    const [code, opened] = openedWith(path, [])
    expect(code).toBe('SHARDLOOM_NO_ADDRESS_SPACE')
    expect(Number(opened)).toBeLessThan(4)
    expect(openedWith(path, ['--disable-wasm-trap-handler'])).toEqual(['6'])
  })
})
