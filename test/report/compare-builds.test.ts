import { describe, expect, it } from 'vitest'
import { compareBuilds, type ComparedFigure } from '../../src/report/compare-builds.js'
import type { BuildReport } from '../../src/api/report.js'
import { fullManifest, fullReport } from '../fixtures/reports.js'

function figureOf(name: string, now: Partial<BuildReport>, before: Partial<BuildReport>): ComparedFigure | undefined {
  const { groups } = compareBuilds(fullManifest(now), fullManifest(before))
  return groups.flatMap(({ figures }) => figures).find((figure) => figure.name === name)
}

describe('compareBuilds', () => {
  it('finds every figure of a build the same as itself', () => {
    const { groups, options } = compareBuilds(fullManifest(), fullManifest())
    const figures = groups.flatMap(({ figures }) => figures)
    expect(figures.length).toBeGreaterThan(15)
    expect(figures.filter(({ verdict, difference }) => verdict !== 'same' || difference !== '–')).toEqual([])
    expect(options).toEqual([])
  })

  it('gives both values, the difference and its share', () => {
    expect(figureOf('total time', { seconds: 90 }, { seconds: 60 })).toEqual({
      name: 'total time',
      now: '1 min 30 s',
      before: '1 min 0 s',
      difference: '+30.0 s (+50%)',
      verdict: 'worse',
    })
  })

  it.each<readonly [string, Partial<BuildReport>, Partial<BuildReport>]>([
    ['recall@10', { recallAt10: 0.97 }, { recallAt10: 0.98 }],
    ['peak memory of the process', { peakRssBytes: 3e8 }, { peakRssBytes: 2e8 }],
    ['spilled to temporary files', { spilledBytes: 1 }, { spilledBytes: 0 }],
    ['vectors skipped', { skipped: 1 }, { skipped: 0 }],
    ['unreachable vectors that were linked', { repaired: 1 }, { repaired: 0 }],
    ['events', {}, { events: [] }],
    ['bytes on disk', { diskBytes: 80e6 }, { diskBytes: 70e6 }],
  ])('calls a change of %s in the bad direction worse, in the other better', (name, worse, better) => {
    expect(figureOf(name, worse, better)?.verdict).toBe('worse')
    expect(figureOf(name, better, worse)?.verdict).toBe('better')
  })

  it('calls more vectors neither better nor worse', () => {
    expect(figureOf('vectors', { count: 110_000 }, {})).toMatchObject({
      verdict: 'changed',
      difference: '+10,000 (+10%)',
    })
  })

  it('counts differences within the noise as the same', () => {
    expect(figureOf('total time', { seconds: 76 }, { seconds: 70 })?.verdict).toBe('same')
    expect(figureOf('recall@10', { recallAt10: 0.982 }, { recallAt10: 0.9875 })?.verdict).toBe('same')
    expect(figureOf('total time', { seconds: 0.19 }, { seconds: 0.1 })?.verdict).toBe('same')
  })

  it('compares the stages that both builds have', () => {
    const stages = fullReport().stages.filter(({ name }) => name !== 'prove')
    expect(figureOf('stage prove', { stages }, {})).toBeUndefined()
    expect(figureOf('stage merge', { stages }, {})?.verdict).toBe('same')
  })

  it('leaves out the pressure when one of the reports lacks it', () => {
    expect(figureOf('times under pressure', {}, {})?.now).toBe('3')
    expect(figureOf('times under pressure', {}, { memory: undefined })).toBeUndefined()
  })

  it('names the options that differ', () => {
    const { options } = compareBuilds(
      fullManifest({ memoryBytes: 2e8, m: 24 }),
      fullManifest({}, { quantization: 'sq8' }),
    )
    expect(options).toEqual([
      { name: 'quantization', now: 'f32', before: 'sq8' },
      { name: 'm', now: '24', before: '16' },
      { name: 'memory budget', now: '200 MB', before: '300 MB' },
    ])
  })
})
