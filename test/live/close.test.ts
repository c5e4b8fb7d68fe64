/** Closing in the middle of things. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { openIndex } from '../../dist/src/index.js'
import { makeFolder } from '../fixtures/builds.js'
import { some } from '../whole.js'

const CHILD = fileURLToPath(new URL('close-child.mjs', import.meta.url))

it.each(some([0, 20, 150, 400, 800, 1500], 2))(
  'a close %i ms after changes, seals and a compaction began ends them, and loses nothing acknowledged',
  async (waitMs) => {
    const path = join(makeFolder(), 'an.index')
    const args = ['--unhandled-rejections=strict', CHILD, path, `${waitMs}`]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    let [output, errors] = ['', '']
    child.stdout.on('data', (text: Buffer) => (output += text.toString()))
    child.stderr.on('data', (text: Buffer) => (errors += text.toString()))
    // A handle that was left open would keep it alive, until this test's time is over.
    const [code] = (await once(child, 'close')) as [number | null]
    expect(code, errors).toBe(0)
    const { acknowledged, refused, late } = JSON.parse(output) as {
      acknowledged: [number, number][]
      refused: string[]
      late: string
    }
    expect(late).toBe('SHARDLOOM_INDEX_CLOSED')
    expect(refused.filter((one) => one !== 'SHARDLOOM_INDEX_CLOSED')).toEqual([])
    const index = await openIndex(path)
    for (const [first, count] of acknowledged) {
      for (const id of [first, first + count - 1])
        expect(index.get(id)?.vector[0]).toBeCloseTo(Math.sin(first + 4 * (id - first)), 5)
    }
    const rows = acknowledged.reduce((sum, [, count]) => sum + count, 1)
    expect(index.count).toBe(rows)
    await index.close()
  },
)
