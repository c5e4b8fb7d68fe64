/** Whole builds in memory cgroups, as containers have them. Needs root and a memory controller; else it is skipped. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { BuildReport } from '../../dist/src/index.js'
import { makeGroup, runInGroup, whyNoGroups } from '../cgroup/memory-group.mjs'
import { examplePath, makeFolder } from '../fixtures/builds.js'
import { WHOLE } from '../whole.js'

const PROGRAM = fileURLToPath(new URL('../../dist/bundle/lib/main.js', import.meta.url))
const obstacle = whyNoGroups()
if (obstacle !== undefined) console.warn(`skipped: ${obstacle}`)

const removals: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const remove of removals.splice(0).reverse()) await remove()
})

function group(limitBytes: number, parent?: string): ReturnType<typeof makeGroup> {
  const made = makeGroup(limitBytes, parent)
  removals.push(() => made.remove())
  return made
}

/** Builds the 10,000 SIFT vectors of the examples. */
async function buildIn(
  where: ReturnType<typeof makeGroup>,
  ...flags: string[]
): Promise<{ run: Awaited<ReturnType<typeof runInGroup>>; index: string; report: BuildReport | undefined }> {
  const index = join(makeFolder(), 'an.index')
  const input = examplePath('sift10k_base.bvecs')
  const run = await runInGroup(where, [PROGRAM, 'build', input, '--out', index, '--json', ...flags])
  const report = run.code === 0 ? (JSON.parse(run.stdout) as BuildReport) : undefined
  return { run, index, report }
}

describe.runIf(obstacle === undefined && WHOLE)('a build in a memory cgroup', () => {
  it.each([256e6, 400e6, 1e9])('of %d bytes finishes below the limit, and is not killed', async (limit) => {
    const where = group(limit)
    const { run, report } = await buildIn(where)
    expect(run.stderr).not.toContain('Error')
    expect(report).toMatchObject({ count: 10_000, reachable: 10_000, memoryBytes: expect.any(Number) as number })
    expect(report?.memoryBytes).toBeLessThanOrEqual(limit)
    expect(run.peakRssBytes).toBeLessThan(limit)
    expect(where.kills()).toBe(0)
  })

  it('that is asked for more memory than the group has says so, and keeps to the group', async () => {
    const where = group(300e6)
    const { run, report } = await buildIn(where, '--memory', '4GB')
    expect(run.stderr).toMatch(/memory is 4000 MB, but \d+ MB are available \(cgroup limit\)/)
    expect(report?.memoryBytes).toBeLessThanOrEqual(300e6)
    expect(where.kills()).toBe(0)
  })

  it('keeps to the smaller limit of the group above', async () => {
    const above = group(300e6)
    if (readdirSync(above.directory).includes('cgroup.subtree_control')) {
      writeFileSync(join(above.directory, 'cgroup.subtree_control'), '+memory')
    }
    const { report } = await buildIn(group(900e6, above.directory))
    expect(report?.memoryBytes).toBeLessThanOrEqual(300e6)
    expect(above.kills()).toBe(0)
  })

  it('whose group is full of cached files has the room that they take', async () => {
    const where = group(400e6)
    const folder = join(makeFolder(), 'cached')
    mkdirSync(folder)
    const file = join(folder, 'file')
    execFileSync('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M', 'count=380'], { stdio: 'ignore' })
    await runInGroup(where, ['-e', `require('fs').readFileSync(${JSON.stringify(file)})`])
    const { report } = await buildIn(where)
    expect(report?.memoryBytes).toBeGreaterThan(350e6)
  })

  it('that is too small is refused, with what it needs, and leaves nothing', async () => {
    const where = group(100e6)
    const { run, index } = await buildIn(where)
    expect(run).toMatchObject({ code: 3, signal: null })
    expect(run.stderr).toMatch(/needs \d+ MB .* are available; .*--memory/s)
    expect(readdirSync(join(index, '..'))).toEqual([])
    expect(where.kills()).toBe(0)
  })
})
