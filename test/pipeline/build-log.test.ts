import { afterEach, describe, expect, it, vi } from 'vitest'
import { BuildLog } from '../../src/pipeline/run/build-log.js'
import type { ProgressEvent } from '../../src/api/build.js'

const logs: BuildLog[] = []
afterEach(() => {
  for (const log of logs.splice(0)) log.close()
  vi.useRealTimers()
})

function makeLog(onProgress?: (event: ProgressEvent) => void): { log: BuildLog; info: string[]; warn: string[] } {
  const info: string[] = []
  const warn: string[] = []
  const logger = { info: (line: string) => info.push(line), warn: (line: string) => warn.push(line) }
  const log = new BuildLog({ logger, onProgress, budgetBytes: 5e8 })
  logs.push(log)
  return { log, info, warn }
}

describe('BuildLog', () => {
  it('writes down stages in order, with their times and peaks, also one that failed', async () => {
    const { log, info } = makeLog()
    expect(await log.stage('ingest', async () => 7)).toBe(7)
    await expect(log.stage('route', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(log.stages.map(({ name }) => name)).toEqual(['ingest', 'route'])
    for (const { seconds, peakRssBytes } of log.stages) {
      expect(seconds).toBeGreaterThanOrEqual(0)
      expect(peakRssBytes).toBeGreaterThan(1e6)
    }
    expect(info).toHaveLength(2)
    expect(log.peakRssBytes).toBeGreaterThanOrEqual(Math.max(...log.stages.map(({ peakRssBytes }) => peakRssBytes)))
  })

  it('notes events with their stage, and warns', async () => {
    const { log, warn } = makeLog()
    log.event('memory', 'less than wished')
    await log.stage('merge', async () => {
      log.event('odd', 'something odd')
    })
    expect(log.events).toMatchObject([
      { kind: 'memory', stage: 'plan', message: 'less than wished' },
      { kind: 'odd', stage: 'merge', message: 'something odd' },
    ])
    expect(warn).toEqual(['less than wished', 'something odd'])
  })

  it('has the hosts of the moment in its progress, of a build that has hosts', async () => {
    const seen: ProgressEvent['hosts'][] = []
    const { log } = makeLog(({ hosts }) => seen.push(hosts))
    await log.stage('plan', async () => undefined)
    let done = 0
    log.watchHosts(() => [{ host: 'ape', running: 1, done: done++ }])
    await log.stage('ingest', async () => undefined)
    await log.stage('route', async () => undefined)
    expect(seen).toEqual([undefined, [{ host: 'ape', running: 1, done: 0 }], [{ host: 'ape', running: 1, done: 1 }]])
  })

  it('fails the stage with the error of a logger, also when a timer calls it', async () => {
    const logger = { info: () => undefined, warn: () => { throw new Error('the log is full') } } // prettier-ignore
    const log = new BuildLog({ logger, onProgress: undefined, budgetBytes: 5e8 })
    logs.push(log)
    log.watchMemory(() => log.event('memory', 'pressure'))
    await expect(log.stage('ingest', async () => 7)).rejects.toThrow('the log is full')
  })

  it('tells progress at most ten times a second, and always at the end of a stage', async () => {
    const events: ProgressEvent[] = []
    const { log } = makeLog((event) => events.push(event))
    log.watchSpill(() => 123)
    await log.stage('ingest', async () => {
      for (let i = 1; i <= 10_000; i++) log.progress(i, 10_000, 'vectors')
    })
    expect(events.length).toBeLessThan(10)
    expect(events.at(-1)).toMatchObject({
      stage: 'ingest',
      done: 10_000,
      total: 10_000,
      unit: 'vectors',
      etaSeconds: 0,
      budgetBytes: 5e8,
      spilledBytes: 123,
    })
  })

  it('starts each stage from nothing', async () => {
    const events: ProgressEvent[] = []
    const { log } = makeLog((event) => events.push(event))
    await log.stage('ingest', async () => log.progress(5, 5, 'vectors'))
    await log.stage('assign nodes', async () => undefined)
    expect(events.at(-1)).toMatchObject({ stage: 'assign nodes', done: 0, total: undefined, etaSeconds: undefined })
  })

  it('samples and reports by itself while a stage says nothing, and stops when closed', async () => {
    vi.useFakeTimers()
    const events: ProgressEvent[] = []
    const { log } = makeLog((event) => events.push(event))
    let end: () => void = () => undefined
    const stage = log.stage('shards', () => new Promise<void>((resolve) => (end = resolve)))
    await vi.advanceTimersByTimeAsync(1000)
    const whileRunning = events.length
    expect(whileRunning).toBeGreaterThanOrEqual(3)
    end()
    await stage
    log.close()
    const atEnd = events.length
    await vi.advanceTimersByTimeAsync(1000)
    expect(events.length).toBe(atEnd)
  })
})
