import { readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { readManifest } from '../../src/format/generation/read-manifest.js'
import type { Manifest } from '../../src/format/generation/manifest.js'
import { formatByteSize } from '../../src/memory/byte-size.js'
import { countText, tookText } from '../../src/report/number-text.js'
import { reportPage } from '../../src/report/report-page.js'
import { CURVE, fullManifest, largeManifest } from '../fixtures/reports.js'
import { shardloom } from '../cli/shardloom.js'
import { findChromium, launchChromium } from './chromium.js'
import * as probes from './page-probes.js'
import { some } from '../whole.js'

/** The pages of real builds in a real browser. */

const executable = findChromium()
if (executable === undefined) {
  console.warn('SKIPPED: there is no chromium here (CHROMIUM_PATH, or on PATH), so no report page was looked at')
}

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const DATA = fileURLToPath(new URL('../../examples/data/sift10k_base.bvecs', import.meta.url))
const MADE = {
  path: 'an.index',
  directory: '/data/an.index',
  recall: CURVE,
  tunings: [],
  efInUse: 64,
  madeAt: '2026-02-01T06:00:00.000Z',
  version: '0.1.0',
}
const LARGE_BEFORE = largeManifest({ generation: 'gen-123456789012345', seconds: 99_999, recallAt10: 1, m: 64 })
/** One vector, in no time, of which nothing was sampled. */
const SMALL = fullManifest({
  count: 1,
  reachable: 1,
  seconds: 0.001,
  diskBytes: 1,
  recallAt10: 1,
  spilledBytes: 0,
  stages: [{ name: 'ingest', atSeconds: 0, seconds: 0, peakRssBytes: 1 }],
  memory: { pressure: { elevated: 0, high: 0, critical: 0, ingestPauses: 0 }, timeline: [] },
  graph: { degrees: { from: 0, width: 1, counts: [1], least: 0, most: 0 }, levels: [1] },
  events: [],
})
const WIDTHS = [320, 390, 600, 900, 1280]
const THEMES = ['light', 'dark'] as const

describe.skipIf(executable === undefined)('the report page', () => {
  let folder: string
  let index: string
  let manifest: Manifest
  let browser: Browser
  const opened: Page[] = []
  /** Of a build, of one beside another, of one whose names are hostile; of the largest and smallest numbers. */
  const pages = ['build.html', 'comparison.html', 'hostile.html', 'large.html', 'small.html']
  const inFolder = (name: string): string => path.join(folder, name)

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'shardloom-page-'))
    index = inFolder('sift.index')
    const hostile = inFolder(`"><img src=x onerror=alert(1)>' &amp; \u202e index`)
    const runs = [
      ['build', DATA, '--out', index, '--report', inFolder('build.html')],
      // Little memory: pressure, spilling and events are on the page.
      ['build', DATA, '--out', index, '--memory', '160MB', '--report', inFolder('comparison.html')],
      ['build', DATA, '--out', hostile, '--report', inFolder('hostile.html')],
    ]
    for (const args of runs) {
      const { exitCode, stderr } = await shardloom(args)
      expect(exitCode, stderr).toBe(0)
    }
    await writeFile(inFolder('large.html'), reportPage({ ...MADE, manifest: largeManifest(), before: LARGE_BEFORE }))
    await writeFile(inFolder('small.html'), reportPage({ ...MADE, manifest: SMALL }))
    manifest = (await readManifest(index)).manifest
    browser = await launchChromium(executable ?? '')
  })
  afterEach(async () => {
    for (const page of opened.splice(0)) await page.context().close()
  })
  afterAll(async () => {
    await browser?.close()
    await rm(folder, { recursive: true, force: true })
  })

  /** What the page asked for and what it complained of, beside the page. */
  async function open(
    name: string,
    { width = 1280, theme = 'light' }: { width?: number; theme?: 'light' | 'dark' } = {},
  ): Promise<{ page: Page; requests: string[]; complaints: string[] }> {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: theme })
    const page = await context.newPage()
    opened.push(page)
    const requests: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => requests.push(request.url()))
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('dialog', (dialog) => {
      complaints.push(dialog.message())
      void dialog.dismiss()
    })
    await page.goto(pathToFileURL(inFolder(name)).href)
    return { page, requests, complaints }
  }

  it.each(pages)('%s asks for nothing but itself, and complains of nothing', async (name) => {
    const { page, requests, complaints } = await open(name)
    await page.evaluate(probes.openDetails)
    await page.waitForLoadState('networkidle')
    expect(requests.filter((url) => url !== pathToFileURL(inFolder(name)).href && !url.startsWith('data:'))).toEqual([])
    expect(complaints).toEqual([])
  })

  it.each(
    some(
      pages.flatMap((name) => WIDTHS.map((width) => ({ name, width }))),
      4,
    ),
  )('$name at $width pixels is no wider than the screen, and has every label whole', async ({ name, width }) => {
    const { page } = await open(name, { width })
    await page.evaluate(probes.openDetails)
    expect(await page.evaluate(probes.pageWidth)).toBeLessThanOrEqual(width)
    expect(await page.evaluate(probes.partsBeyondScreen)).toEqual([])
    expect(await page.evaluate(probes.overlappingLabels)).toEqual([])
  })

  it.each(WIDTHS)('at %i pixels shows one drawing of each figure, with text of a size to read', async (width) => {
    const { page } = await open('comparison.html', { width })
    const figures = await page.evaluate(probes.figureDrawings)
    expect(figures.length).toBe(10)
    for (const { id, drawings, least, most } of figures) {
      expect({ id, drawings }).toEqual({ id, drawings: 1 })
      expect(least, id).toBeGreaterThan(9)
      expect(most, id).toBeLessThan(30)
    }
  })

  it.each(
    some(
      pages.flatMap((name) => THEMES.flatMap((theme) => [390, 1280].map((width) => ({ name, theme, width })))),
      5,
    ),
  )('axe finds nothing wrong with $name, $theme, at $width pixels', async ({ name, theme, width }) => {
    const { page } = await open(name, { theme, width })
    await page.evaluate(probes.openDetails)
    await page.evaluate(AXE)
    const { violations, passes } = await page.evaluate(probes.axeFindings)
    expect(passes).toContain('color-contrast')
    expect(violations).toEqual([])
  })

  it('looks different in the dark', async () => {
    const back = async (theme: 'light' | 'dark'): Promise<string> => {
      const { page } = await open('build.html', { theme })
      return page.evaluate(probes.backgroundColor)
    }
    expect([await back('light'), await back('dark')]).toEqual(['rgb(255, 255, 255)', 'rgb(17, 22, 28)'])
  })

  it('has the values of the report', async () => {
    const { page } = await open('comparison.html')
    const { report, segments } = manifest
    const curve = await page.evaluate(probes.tableRows, 'recall')
    expect(await page.evaluate(probes.tileFigures)).toMatchObject({
      // One recall for one ef: the curve is measured with more queries than the proof.
      'recall@10': curve.find(([ef]) => ef === '64, in use')?.[1],
      'on disk': formatByteSize(report.diskBytes),
      'temporary files': formatByteSize(report.spilledBytes),
      'worker threads': String(report.threads),
      events: String(report.events.length),
    })
    const rows = (id: string): Promise<string[][]> => page.evaluate(probes.tableRows, id)
    const { degrees, levels, shardSizes } = report.graph ?? {}
    expect((await rows('degrees')).map((row) => row[1])).toEqual(degrees?.counts.map(countText))
    expect((await rows('shards')).map((row) => row[1])).toEqual(shardSizes?.counts.map(countText))
    expect((await rows('levels')).map((row) => row[1])).toEqual(levels?.map(countText))
    expect((await rows('files')).map((row) => [row[0], row[4]])).toEqual(
      segments.map(({ name, crc32 }) => [name, crc32.toString(16).padStart(8, '0')]),
    )
    expect((await rows('stages')).slice(0, report.stages.length).map((row) => [row[0], row[2]])).toEqual(
      report.stages.map(({ name, seconds }) => [name, tookText(seconds)]),
    )
    const { timeline } = report.memory
    expect((await rows('memory')).slice(0, timeline.length).map((row) => row[2])).toEqual(
      timeline.map(({ rssBytes }) => formatByteSize(rssBytes)),
    )
    const events = await page.evaluate(probes.lastParts, '.events li')
    expect(events).toEqual(report.events.map(({ message }) => message))
  })

  it('draws bars as long as their values', async () => {
    const { page } = await open('comparison.html')
    const counts = manifest.report.graph?.degrees.counts ?? []
    const heights = await page.evaluate(probes.heightsOf, '#degrees svg.at-half rect')
    const scale = Math.max(...heights) / Math.max(...counts)
    expect(heights.length).toBe(counts.length)
    heights.forEach((height, i) => expect(Math.abs(height - counts[i] * scale)).toBeLessThan(0.05))
  })

  it('says in words what got worse', async () => {
    const { page } = await open('comparison.html')
    const verdicts = await page.evaluate(probes.lastParts, '.comparison tr.worse')
    expect(verdicts.length).toBeGreaterThan(0)
    expect(new Set(verdicts)).toEqual(new Set(['▲ worse']))
  })

  it('shows hostile names as they are', async () => {
    const { page } = await open('hostile.html')
    expect(await page.textContent('h1')).toBe(inFolder(`"><img src=x onerror=alert(1)>' &amp; \u202e index`))
    expect(await page.locator('img, script').count()).toBe(0)
  })

  it('can be gone through by keyboard, and shows where one is', async () => {
    const { page } = await open('build.html', { width: 390 })
    await page.keyboard.press('Tab')
    expect(await page.evaluate(probes.focused)).toMatchObject({ text: 'Skip to the report', isOnScreen: true })
    const stops: string[] = []
    // Round once: behind the last stop the page itself has the focus.
    for (let at = await page.evaluate(probes.focused); at.name !== 'BODY'; at = await page.evaluate(probes.focused)) {
      expect(at).toMatchObject({ outline: '3px solid', isOnScreen: true })
      stops.push(`${at.name} ${at.text}`)
      expect(stops.length).toBeLessThan(100)
      await page.keyboard.press('Tab')
    }
    expect(stops.filter((name) => name.startsWith('SUMMARY')).length).toBe(8)
    expect(stops.filter((name) => name.startsWith('A ')).length).toBeGreaterThan(7)
    await page.focus('#stages summary')
    await page.keyboard.press('Enter')
    expect(await page.isVisible('#stages table')).toBe(true)
  })

  it('has landmarks and headings for a screen reader', async () => {
    const { page } = await open('comparison.html')
    for (const landmark of ['banner', 'navigation', 'main', 'contentinfo'] as const) {
      expect(await page.getByRole(landmark).count()).toBe(1)
    }
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1)
    expect(
      await page.getByRole('table', { name: 'Two builds side by side' }).getByRole('rowheader').count(),
    ).toBeGreaterThan(15)
    expect(await page.getByRole('img', { name: /^Line of memory over time\./ }).count()).toBe(1)
  })
})
