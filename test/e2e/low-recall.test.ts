/** What the proof says of data that is hard to search: bell-shaped in 64 dimensions, with few links. */
import { describe, expect, it } from 'vitest'
import { readManifest, reportMetrics, type BuildOptions, type BuildReport } from '../../dist/src/index.js'
import { batches, build, makeRows, randomRows, rowOf, withIndex } from '../fixtures/builds.js'

const HARD = randomRows(10_000, 64, 1)

interface Told {
  readonly path: string
  readonly report: BuildReport
  readonly warnings: readonly string[]
}

async function buildHard(options: Partial<BuildOptions>): Promise<Told> {
  const warnings: string[] = []
  const logger = { info: () => undefined, warn: (line: string) => void warnings.push(line) }
  const built = await build(batches(HARD), { metric: 'cosine', logger, ...options })
  return { ...built, warnings }
}

const lowIn = ({ events }: BuildReport): string[] =>
  events.filter(({ kind, stage }) => kind === 'low-recall' && stage === 'prove').map(({ message }) => message)

describe('a graph with few links among hard data', () => {
  it('has the event low-recall, which is logged, reported and counted', async () => {
    const { path, report, warnings } = await buildHard({ m: 4 })
    expect(report.recallAt10).toBeLessThan(0.95)
    const [message, ...more] = lowIn(report)
    expect(more).toEqual([])
    expect(message).toContain(`recall@10 is ${report.recallAt10.toFixed(4)}: a search at ef 64 misses `)
    expect(message).toContain(` ${(10 - 10 * report.recallAt10).toFixed(1)} of ten neighbours on average`)
    expect(message).toMatch(/Try .*a larger m .*, or a larger ef for searches \(shardloom recall /)
    expect(warnings).toContainEqual(expect.stringContaining(message))
    const { manifest } = await readManifest(path)
    expect(lowIn(manifest.report)).toEqual([message])
    expect(reportMetrics(report)).toMatch(new RegExp(`^shardloom_build_warnings.* ${report.events.length}$`, 'm'))
  })

  it('is refused below minRecall, without the event', async () => {
    const warnings: string[] = []
    const logger = { info: () => undefined, warn: (line: string) => void warnings.push(line) }
    await expect(buildHard({ m: 4, minRecall: 0.95, logger })).rejects.toMatchObject({
      code: 'SHARDLOOM_RECALL_TOO_LOW',
    })
    expect(warnings.filter((line) => line.includes('recall@10'))).toEqual([])
  })
})

describe('selfRecall', () => {
  it('is the share of vectors that searches for them find', async () => {
    const { path, report } = await buildHard({ m: 4 })
    const share = await withIndex(path, (index) => {
      let hits = 0
      for (let row = 0; row < HARD.count; row += 5) {
        if (index.search(rowOf(HARD, row), { k: 11, ef: 64 }).some(({ id }) => id === row)) hits++
      }
      return hits / (HARD.count / 5)
    })
    expect(share).toBeLessThan(0.95)
    // Three standard errors of 200 vectors.
    expect(Math.abs((report.selfRecall ?? 1) - share)).toBeLessThan(0.06)
    expect((await readManifest(path)).manifest.report.selfRecall).toBe(report.selfRecall)
  })

  it.each(['l2', 'cosine'] as const)('is 1 for %s when every vector finds itself', async (metric) => {
    const { report } = await build(batches(randomRows(2000, 8, 1)), { metric })
    expect(report.selfRecall).toBe(1)
    expect(lowIn(report)).toEqual([])
  })

  it('is 1 when each vector finds a copy of itself', async () => {
    const rows = makeRows(3000, 8, (row, d) => Math.sin(1 + d * (1 + (row % 30))))
    expect((await build(batches(rows), { metric: 'cosine' })).report.selfRecall).toBe(1)
  })

  it('is absent for ip, where a vector need not be its own nearest', async () => {
    const { report } = await build(batches(randomRows(2000, 8, 1)), { metric: 'ip' })
    expect(report).not.toHaveProperty('selfRecall')
  })
})
