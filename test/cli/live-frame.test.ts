import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { painter, wantsColour } from '../../src/cli/screen/colour.js'
import { frameLines, lastFrameLines, type Look } from '../../src/cli/screen/live-frame.js'
import { StageClock } from '../../src/cli/screen/stage-clock.js'
import type { ProgressEvent } from '../../src/api/build.js'

const event: ProgressEvent = {
  stage: 'shards',
  done: 540_000,
  total: 1_000_000,
  unit: 'vectors',
  rate: 20_000,
  etaSeconds: 23,
  elapsedSeconds: 62,
  rssBytes: 812e6,
  budgetBytes: 2e9,
  spilledBytes: 1.5e9,
  pressure: 'elevated',
}
const finished = [
  { name: 'ingest', seconds: 12.34 },
  { name: 'upper levels', seconds: 125 },
] as const
const plain: Look = { columns: 80, paint: painter(false), ascii: false }

describe('a frame', () => {
  it('has finished stages with their times, and of the running one bar, ETA, rate, memory and what was spilled', () => {
    expect(frameLines(finished, event, plain)).toEqual([
      '✔ ingest            12.3 s',
      '✔ upper levels   2 min 5 s',
      '▸ shards        ████████████░░░░░░░░░░░░   54%  ETA 23 s',
      '  540,000 of 1,000,000 vectors, 20,000/s',
      '  memory 812 MB of 2.00 GB, pressure elevated',
      '  1.50 GB spilled, 1 min 2 s so far',
    ])
  })

  it('has the hosts of a build on many machines, with their tasks', () => {
    const hosts = [
      { host: 'ape-17-k3', running: 4, done: 1_200 },
      { host: 'bee-9-x', running: 1, done: 0 },
    ]
    expect(frameLines([], { ...event, hosts }, plain).slice(2, 5)).toEqual([
      '  2 hosts, 5 tasks running',
      '    ape-17-k3  4 running, 1,200 done',
      '    bee-9-x    1 running, 0 done',
    ])
    expect(frameLines([], { ...event, hosts: [] }, plain)[2]).toBe('  no host yet: shardloom worker starts one')
  })

  it('has the eight busiest of many hosts, in the order of their names, and counts the others', () => {
    const hosts = Array.from({ length: 20 }, (_, i) => ({ host: `host-${i + 10}`, running: i === 3 ? 0 : i, done: i }))
    const lines = frameLines([], { ...event, hosts }, plain)
    expect(lines.slice(2, 12).map((line) => line.trim().split(' ')[0])).toEqual([
      '20',
      ...Array.from({ length: 8 }, (_, i) => `host-${i + 22}`),
      'and',
    ])
    expect(lines[11]).toBe('    and 12 more')
  })

  it('leaves out what is not known', () => {
    const open = { ...event, total: undefined, etaSeconds: undefined, spilledBytes: 0 }
    expect(frameLines([], open, plain).slice(0, 2)).toEqual(
      ['▸ shards', '  540,000 vectors, 20,000/s'].map((l) => expect.stringContaining(l) as string),
    )
    expect(frameLines([], { ...open, unit: '', done: 0 }, plain)).toHaveLength(3)
    expect(frameLines([], open, plain).at(-1)).toBe('  1 min 2 s so far')
  })

  it('is as narrow as any screen, in colour too', () => {
    for (const columns of [1, 10, 20, 40, 60, 80, 200]) {
      for (const paint of [painter(false), painter(true)]) {
        for (const line of frameLines(finished, event, { columns, paint, ascii: false })) {
          expect(stripVTControlCharacters(line).length).toBeLessThan(columns)
        }
      }
    }
  })

  it('is ASCII where there may be nothing else', () => {
    for (const line of frameLines(finished, event, { ...plain, ascii: true })) expect(line).toMatch(/^[ -~]*$/)
  })

  it('stays with the stage that failed', () => {
    expect(lastFrameLines(finished, { name: 'merge', seconds: 1 }, plain).at(-1)).toBe('✖ merge             1.00 s')
    expect(lastFrameLines(finished, undefined, plain)).toHaveLength(2)
  })

  it('has no escape sequences without colour', () => {
    expect(frameLines(finished, event, plain).join('')).not.toContain('\u001B')
    expect(frameLines(finished, event, { ...plain, paint: painter(true) }).join('')).toContain('\u001B[32m✔')
  })
})

describe('StageClock', () => {
  it('ends a stage with the first event of the next one', () => {
    const clock = new StageClock()
    const at = (stage: ProgressEvent['stage'], elapsedSeconds: number) =>
      clock.update({ ...event, stage, elapsedSeconds })
    expect([at('plan', 0.5), at('plan', 1), clock.runningSeconds]).toEqual([undefined, undefined, 1])
    expect(at('ingest', 1.25)).toMatchObject({ stage: 'plan', elapsedSeconds: 1 })
    at('ingest', 4)
    clock.finish()
    expect(clock.finished).toEqual([
      { name: 'plan', seconds: 1 },
      { name: 'ingest', seconds: 3 },
    ])
    expect(clock.last).toBeUndefined()
  })
})

describe('wantsColour', () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [false, { FORCE_COLOR: '' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ])('of a screen (%s) with %o is %s', (isTTY, env, wanted) => {
    expect(wantsColour(isTTY, env)).toBe(wanted)
  })
})
