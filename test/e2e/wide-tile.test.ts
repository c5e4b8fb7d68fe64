/** The wide distance tile gives the same index. Node.js without V8's flag computes it as well, only more slowly. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { knowsTheFlag } from '../../kernel/wide-tile.js'
import { onlyJson, randomRows, shardloom, writeFvecs } from '../cli/shardloom.js'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'shardloom-wide-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** The tile that a build reports, and the checksums of its segments. */
async function build(wide: string | undefined): Promise<{ tile: unknown; segments: Record<string, string> }> {
  const out = path.join(folder, `wide-${wide}.index`)
  const args = ['build', path.join(folder, 'rows.fvecs'), '--out', out, '--threads', '2', '--json', '--quiet']
  const env = { SHARDLOOM_WIDE: wide }
  const { exitCode, stdout, stderr } = await shardloom(args, { env })
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
  const report = onlyJson(stdout) as { workers: { tile: unknown }; generation: string }
  const generation = path.join(out, report.generation)
  const names = readdirSync(generation).filter((name) => name.endsWith('.seg'))
  const sums = names.map((name) => [
    name,
    createHash('sha256')
      .update(readFileSync(path.join(generation, name)))
      .digest('hex'),
  ])
  return { tile: report.workers.tile, segments: Object.fromEntries(sums) as Record<string, string> }
}

it('a build with the wide tile, without it, and as the command chooses has the same bytes, and says which', async () => {
  await writeFvecs(path.join(folder, 'rows.fvecs'), randomRows(3000, 20))
  const [narrow, wide, chosen] = [await build('0'), await build('1'), await build(undefined)]
  expect([narrow.tile, wide.tile]).toEqual(['4x8', '4x16'])
  expect(chosen.tile).toBe(knowsTheFlag(process) ? '4x16' : '4x8')
  expect(Object.keys(narrow.segments).length).toBeGreaterThan(3)
  expect(wide.segments).toEqual(narrow.segments)
  expect(chosen.segments).toEqual(narrow.segments)
})
