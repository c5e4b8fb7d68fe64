import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { reportPage, type ReportPage } from '../../src/report/report-page.js'
import type { BuildReport } from '../../src/api/report.js'
import { CURVE, fullManifest, fullReport, host, HOSTS, textOf } from '../fixtures/reports.js'

const MADE = {
  path: 'articles.index',
  directory: '/data/articles.index',
  tunings: [],
  efInUse: 64,
  madeAt: '2026-02-01T06:00:00.000Z',
  version: '0.1.0',
}

function page(report: Partial<BuildReport> = {}, rest: Partial<ReportPage> = {}): string {
  return reportPage({ manifest: fullManifest(report), recall: CURVE, ...MADE, ...rest })
}

function figureOf(html: string, id: string): string {
  return new RegExp(`<figure id="${id}".*?</figure>`, 's').exec(html)?.[0] ?? ''
}

describe('reportPage', () => {
  it('begins with what was built and how good it is', () => {
    const text = textOf(page())
    expect(text).toContain('An index of 100,000 vectors of 128 dimensions, l2, in 1 min 10 s .')
    expect(textOf(page({}, { manifest: fullManifest({}, { quantization: 'sq8' }) }))).toContain(
      '128 dimensions, l2 with sq8 quantization, in',
    )
    expect(text.indexOf('98.77%')).toBeLessThan(text.indexOf('Where the time went'))
  })

  it('has a figure with a caption and a table for each chart', () => {
    const figures = page().match(/<figure .*?<\/figure>/gs) ?? []
    expect(figures.map((figure) => /id="([\w-]+)"/.exec(figure)?.[1])).toEqual([
      'stages', 'memory', 'throughput', 'spill', 'shards', 'degrees', 'levels', 'disk', 'recall',
    ]) // prettier-ignore
    for (const figure of figures) {
      expect(figure).toMatch(/<figcaption>\s*<h3 id=/)
      expect(figure).toMatch(/<svg class="at-narrow"[^>]* role="img"[^>]* aria-label="[^"]{10,}"/)
      expect(figure).toContain('<table')
    }
  })

  it('has headings in order, and unique ids', () => {
    const html = page({}, { before: fullManifest({ generation: 'gen-000003' }) })
    const levels = [...html.matchAll(/<h(\d)/g)].map((match) => Number(match[1]))
    levels.forEach((level, i) => expect(level).toBeLessThanOrEqual((levels[i - 1] ?? 0) + 1))
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map((match) => match[1])
    expect(new Set(ids).size).toBe(ids.length)
    for (const [, name] of html.matchAll(/(?:href="#|aria-labelledby=")([^"]+)"/g)) expect(ids).toContain(name)
  })

  it('requests nothing from outside', () => {
    const html = page()
    expect(html).not.toMatch(/<(script|img|iframe|object|embed|base|form)\b/i)
    expect(html).not.toMatch(/\b(src|srcset|action)=|url\(|@import|https?:/i)
    expect([...html.matchAll(/href="([^"]*)"/g)].every(([, to]) => /^(#|data:image\/svg\+xml,)/.test(to))).toBe(true)
    expect(html).toContain(`content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;`)
  })

  it('lists every event, every checksum and every sample', () => {
    const html = page({
      events: Array.from({ length: 300 }, (_, i) => {
        return { kind: `kind-${i}`, stage: 'route', message: `message ${i}.`, atSeconds: i }
      }),
    })
    const text = textOf(html)
    for (let i = 0; i < 300; i++) expect(text).toContain(`message ${i}.`)
    for (const crc of ['00000abc', '12345678', 'ffffffff', '00000001']) expect(text).toContain(crc)
    const memory = html.slice(html.indexOf('<figure id="memory"'), html.indexOf('<figure id="throughput"'))
    expect(memory.match(/<tr>/g)?.length).toBe(1 + fullReport().memory.timeline.length)
  })

  it('has the values of the report', () => {
    const text = textOf(page())
    for (const value of ['0.9911', '236 MB', '300 MB', '71.0 MB', '161 MB', '23.98', '21,346', '0.9521', '6,250']) {
      expect(text).toContain(value)
    }
  })

  it('says what each host did, and why one took no tasks', () => {
    const html = page({ hosts: HOSTS })
    const section = /<section id="hosts".*?<\/section>/s.exec(html)?.[0] ?? ''
    expect(textOf(section)).toContain(
      '2 hosts with 6 threads ran 1,600 tasks for this build; 2 tasks ran again elsewhere.',
    )
    expect(textOf(section)).toContain('ape-17-k3 4 1,200 1 min 15 s 75.0% 2 1.50 GB of 8.00 GB')
    expect(textOf(section)).toContain('bee-9-x 2 400 25.0 s 25.0% 0')
    expect(textOf(section)).toContain('cat-5-y : this worker is 0.1.0, the build 0.2.0: install the same version')
    expect(html).toContain('<a href="#hosts">Hosts</a>')
    expect(textOf(html)).toContain('hosts 2 6 threads, busy 24% of the time')
  })

  it('says that a host of a short build had said nothing of itself', () => {
    const html = page({ hosts: [host('ape', { threads: 0, tasks: 7, busySeconds: 1, memoryBytes: 0 })] })
    const section = /<section id="hosts".*?<\/section>/s.exec(html)?.[0] ?? ''
    expect(textOf(section)).toContain('1 host ran 7 tasks for this build.')
    expect(textOf(section)).toContain('ape unknown 7 1.00 s 100.0% 0 1.50 GB of unknown')
    expect(textOf(html)).toContain('hosts 1 7 tasks')
  })

  it('has no hosts of a build on one machine, and says that no host came', () => {
    expect(page()).not.toContain('id="hosts"')
    const alone = page({ hosts: [] })
    expect(textOf(alone)).toContain('0 hosts with 0 threads ran 0 tasks')
    expect(textOf(alone)).toContain('hosts 0 0 threads, busy 0% of the time')
    expect(alone).not.toContain('Hosts and their tasks')
  })

  it('has one recall for one ef: that of the measured curve, else that of the build', () => {
    const summaryOf = (html: string): string => textOf(html.slice(0, html.indexOf('<section id="build"')))
    expect(textOf(page())).not.toContain('0.9877')
    expect(summaryOf(page())).toContain('0.9911 at ef 64, 200 vectors of the index')
    const without = page({}, { recall: undefined })
    expect(summaryOf(without)).toContain('0.9877 at ef 64')
    expect(textOf(without)).toContain('have a recall@10 of 0.9877 (0.980 to 0.992)')
    // Given queries are of another kind.
    expect(summaryOf(page({}, { recall: { ...CURVE, source: 'given' } }))).toContain('0.9877 at ef 64')
  })

  it.each([
    { word: '✓ Good', state: 'good', change: {} },
    { word: '◆ Fair', state: 'fair', change: { recallAt10: 0.94 } },
    { word: '▲ Poor', state: 'poor', change: { selfRecall: 0.9 } },
  ])('shows the verdict $state by word, sign and colour', ({ word, state, change }) => {
    const html = page(change, { recall: undefined })
    expect(textOf(html)).toContain(word)
    expect(html).toContain(`<body class="state-${state}">`)
  })

  it('says what to try when the verdict is not good', () => {
    expect(textOf(page({ selfRecall: 0.9 }))).toContain("Try quality 'high' or a larger m for the build, or")
    expect(textOf(page({ selfRecall: 0.9 }))).toContain(
      '(shardloom recall articles.index --target-recall R chooses one)',
    )
    expect(textOf(page())).not.toContain('Try quality')
  })

  it('is named after path, vectors and metric', () => {
    expect(/<title>(.*?)<\/title>/.exec(page())?.[1]).toBe(
      '/data/articles.index: 100,000 vectors of 128 dimensions, l2. Build report of Shardloom',
    )
    expect(textOf(page())).toMatch(
      /Shardloom build report \/data\/ articles.index 100,000 vectors of 128 dimensions, l2 /,
    )
  })

  it('gives all charts over time the same edges, and names stages in one of them', () => {
    const html = page()
    const drawn = ['stages', 'memory', 'throughput', 'spill'].map((id) => figureOf(html, id))
    for (const at of ['narrow', 'middle', 'wide']) {
      const edges = drawn.map((figure) => {
        const drawing = new RegExp(`<svg class="at-${at}".*?</svg>`, 's').exec(figure)?.[0] ?? ''
        const axis = /class="base" x1="([\d.]+)" x2="([\d.]+)" y1="([\d.]+)" y2="\3"/.exec(drawing)
        const marks = [...(/class="stage-marks">(.*?)<\/g>/s.exec(drawing)?.[1] ?? '').matchAll(/x1="([\d.]+)"/g)]
        return [axis?.[1], axis?.[2], ...marks.map(([, x]) => x)].join(' ')
      })
      expect(edges[0]).toMatch(/^[\d. ]+$/)
      expect(new Set(edges).size).toBe(1)
    }
    const named = drawn.map((figure) => /<svg.*<\/svg>/s.exec(figure)?.[0].includes('>upper levels<'))
    expect(named).toEqual([true, false, false, false])
  })

  it('gives bars of stages the width that other charts have on a narrow page', () => {
    const [narrow] = figureOf(page(), 'stages').match(/<svg class="at-narrow".*?<\/svg>/s) ?? ['']
    const track = Number(/class="track"[^>]* width="([\d.]+)"/.exec(narrow)?.[1])
    expect(track).toBeGreaterThan(0.6 * 350)
  })

  it.each([
    { budget: 300e6, isBroken: false },
    { budget: 20e9, isBroken: true },
  ])('draws a budget of $budget, whatever was used of it', ({ budget, isBroken }) => {
    const memory = figureOf(page({ memoryBytes: budget }), 'memory')
    expect(memory.match(/class="budget"/g)?.length).toBe(3)
    expect(memory.match(/class="break"/g)?.length ?? 0).toBe(isBroken ? 3 : 0)
    expect(textOf(memory).includes('The axis is broken below the budget.')).toBe(isBroken)
  })

  it('draws no chart of one shard, and no block of a few', () => {
    const graphOf = (counts: number[]): Partial<BuildReport> => {
      const { graph } = fullReport()
      if (graph === undefined) throw new Error('no graph')
      return { graph: { ...graph, shardSizes: { from: 9000, width: 1, counts, least: 9000, most: 9000 } } }
    }
    const one = page(graphOf([1]))
    expect(one).not.toContain('<figure id="shards"')
    expect(textOf(one)).toContain('One shard has all 9,000 vectors.')
    const bar = /class="bar" [^>]*width="([\d.]+)"/.exec(figureOf(page(graphOf([5])), 'shards'))
    expect(Number(bar?.[1])).toBeLessThan(40)
  })

  it.each([
    { resumeBytes: 161e6, says: 'Nothing had to leave memory', tile: 'only so that the build can be resumed' },
    { resumeBytes: 61e6, says: 'They hold 100 MB that the queues', tile: '100 MB for want of memory' },
    { resumeBytes: 0, says: 'They hold 161 MB that the queues', tile: '161 MB for want of memory' },
    { resumeBytes: undefined, says: 'They hold rows and ids from which', tile: 'written by queues' },
  ])(
    'says why temporary files were written when $resumeBytes bytes were for a resume',
    ({ resumeBytes, says, tile }) => {
      const html = page(resumeBytes === undefined ? {} : { resumeBytes })
      expect(textOf(figureOf(html, 'spill'))).toContain(says)
      expect(textOf(html)).toContain(`temporary files 161 MB ${tile}`)
    },
  )

  it('marks the ef in use in the curve of recall', () => {
    const recall = figureOf(page({}, { efInUse: 256 }), 'recall')
    expect(recall.match(/class="ring"/g)?.length).toBe(2)
    expect(recall).toMatch(/class="dot-name value"[^>]*>ef 256, in use</)
    expect(textOf(recall)).toContain('The ring marks ef 256')
    expect(figureOf(page({}, { efInUse: 37 }), 'recall')).not.toMatch(/ring/)
  })

  it('says how many vectors find themselves, when the report says so', () => {
    expect(textOf(page())).toContain('nearest neighbours, and 99.50% of sampled vectors themselves.')
    expect(textOf(page({ selfRecall: undefined }))).not.toContain('themselves')
  })

  it('names the figures that got worse, in words', () => {
    const text = textOf(page({ recallAt10: 0.9 }, { before: fullManifest({ generation: 'gen-000003' }) }))
    expect(text).toContain('Compared with gen-000003')
    expect(text).toMatch(/▲ 1 figure got worse : recall@10/)
    expect(text).toMatch(/recall@10 0.9000 0.9877 −0.0877 \(−8.9%\) ▲ worse/)
  })

  it('says which tile computed the distances, when the report says so', () => {
    const workers = { busySeconds: 120, tileSeconds: 80 }
    expect(textOf(page({ workers: { ...workers, tile: '4x16' } }))).toContain('of it for distances, in tiles of 4 × 16')
    expect(textOf(page({ workers }))).not.toContain('in tiles of')
  })

  it('says what is missing in an older report', () => {
    const { memory: _, graph: __, ...old } = fullReport({ stages: [{ name: 'ingest', seconds: 1, peakRssBytes: 1 }] })
    const html = reportPage({ ...MADE, manifest: { ...fullManifest(), report: old as BuildReport } })
    expect(html).not.toContain('<figure id="memory"')
    expect(textOf(html)).toContain('Not in this report Memory and spilled bytes over time')
  })

  it('says how to get the curve when it was not measured', () => {
    expect(textOf(page({}, { recall: undefined }))).toContain('shardloom report articles.index --recall --out FILE')
  })

  it('says how a chosen ef is used', () => {
    const tuning = { k: 10, targetRecall: 0.95, ef: 37, recall: 0.9534, queries: 500, source: 'given' } as const
    const text = textOf(page({}, { tunings: [{ ...tuning, tunedAt: MADE.madeAt }] }))
    expect(text).toContain('Searches with k 10 and no ef use ef 37')
  })

  const HOSTILE = `"><script>alert(1)</script><img src=x onerror=alert(2)>' onload='x' </style></title><!--]]>&amp;\u0000\u202e`

  it('escapes text of the caller everywhere', () => {
    const stages = [{ name: HOSTILE as 'route', atSeconds: 0, seconds: 50, peakRssBytes: 1 }]
    const { memory } = fullReport()
    const timeline = memory.timeline.map((sample) => {
      return { ...sample, stage: HOSTILE as 'route', pressure: HOSTILE as 'high' }
    })
    const report: Partial<BuildReport> = {
      path: HOSTILE,
      stages,
      memory: { ...memory, timeline },
      events: [{ kind: HOSTILE, stage: HOSTILE as 'route', message: HOSTILE, atSeconds: 1 }],
      resumed: { startedAt: HOSTILE, vectors: 1, shards: 1, segments: 1 },
    }
    const pageOf = (given: Partial<BuildReport>, path: string): string =>
      page(given, {
        path,
        directory: `/data/${path}`,
        recall: undefined,
        before: fullManifest({ ...given, generation: 'gen-000003' }),
      })
    const html = pageOf(report, HOSTILE)
    expect(tagsOf(html)).toEqual(tagsOf(pageOf(harmless(report), 'x')))
    expect(html).not.toMatch(/<script|<img|<!--/)
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  })

  /** The same with a word of the same length. */
  function harmless(report: Partial<BuildReport>): Partial<BuildReport> {
    const json = JSON.stringify(report).replaceAll(JSON.stringify(HOSTILE), JSON.stringify('x'.repeat(HOSTILE.length)))
    return JSON.parse(json) as Partial<BuildReport>
  }

  /** Names of all elements with the names of their attributes. */
  function tagsOf(html: string): string[] {
    return [...html.matchAll(/<([a-z!/][^\s>]*)((?:\s+[\w:-]+(?:="[^"]*")?)*)\s*\/?>/gi)].map(
      ([, name, attributes]) =>
        `${name} ${[...attributes.matchAll(/([\w:-]+)="[^"]*"/g)].map((match) => match[1]).join(' ')}`,
    )
  }

  it('draws any numbers that a manifest may have', () => {
    const most = Number.MAX_SAFE_INTEGER
    const number = fc.double({ min: -most, max: most, noNaN: true })
    const count = fc.nat({ max: most })
    const histogram = fc.record({
      from: count,
      width: fc.integer({ min: 1, max: most }),
      counts: fc.array(count, { minLength: 1, maxLength: 40 }),
      least: count,
      most: count,
    })
    const report = fc.record({
      seconds: number,
      memoryBytes: number,
      peakRssBytes: number,
      spilledBytes: number,
      diskBytes: number,
      recallAt10: number,
      averageDegree: number,
      threads: number,
      skipped: number,
      stages: fc.array(
        fc.record({ name: fc.constant('route' as const), atSeconds: number, seconds: number, peakRssBytes: number }),
      ),
      graph: fc.record({ shardSizes: histogram, degrees: histogram, levels: fc.array(count, { minLength: 1 }) }),
      memory: fc.record({
        pressure: fc.record({ elevated: number, high: number, critical: number, ingestPauses: number }),
        timeline: fc.array(
          fc.record({
            atSeconds: number,
            stage: fc.constant('route' as const),
            rssBytes: number,
            queueBytes: number,
            spilledBytes: number,
            vectorsDone: number,
            pressure: fc.constantFrom('normal', 'elevated', 'high', 'critical'),
          }),
        ),
      }),
    })
    fc.assert(
      fc.property(report, report, (now, before) => {
        const html = page(now, { before: fullManifest(before), recall: undefined })
        for (const [, d] of html.matchAll(/ (?:d|x|y|x1|x2|y1|y2|width|height|cx|cy)="([^"]*)"/g)) {
          expect(d).not.toMatch(/NaN|Infinity/)
        }
      }),
      { numRuns: 60 },
    )
  })
})
