/** Rebuilding in place: the old generation answers until the new one is live, and after. */
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildIndex, openIndex, readManifest } from '../../dist/src/index.js'
import { build, makeFolder, randomRows, records, rowOf, withIndex } from '../fixtures/builds.js'

const before = randomRows(500, 10, 1)
const after = randomRows(700, 6, 2)
const idOf = (name: string) => (row: number) => `${name}-${row}`

function generationsIn(path: string): string[] {
  return readdirSync(path).filter((name) => name.startsWith('gen-')).sort() // prettier-ignore
}

describe('a second build', () => {
  it('replaces the first and keeps it beside, while an index that is open goes on answering', async () => {
    const { path } = await build(records(before, idOf('before')))
    const open = await openIndex(path)
    const question = rowOf(before, 42)
    const answer = open.search(question, { k: 10 })
    let answersMeanwhile = 0
    const second = await build(
      (async function* () {
        for (const record of records(after, idOf('after'))) {
          // Until the switch, those who open it see the first.
          if (answersMeanwhile++ % 300 === 0)
            await withIndex(path, (index) => expect(index.search(question)).toEqual(answer))
          yield record
        }
      })(),
      { path, metric: 'cosine' },
    )
    expect(second.report.generation).toBe('gen-000002')
    expect(open.search(question, { k: 10 })).toEqual(answer)
    await withIndex(path, (index) => {
      expect(index).toMatchObject({ generation: 'gen-000002', count: 700, dimensions: 6, metric: 'cosine' })
      expect(index.search(rowOf(after, 7), { k: 1 })[0].id).toBe('after-7')
    })
    expect(generationsIn(path)).toEqual(['gen-000001', 'gen-000002'])
    expect(readFileSync(join(path, 'CURRENT'), 'utf8')).toMatch(/^gen-000002 [0-9a-f]{8}\n$/)

    await build(records(before, idOf('third')), { path })
    expect(generationsIn(path)).toEqual(['gen-000002', 'gen-000003'])
    expect(open.search(question, { k: 10 })).toEqual(answer)
    await open.close()
  })

  it('keeps as many old generations as asked for', async () => {
    const { path } = await build(records(before))
    await build(records(before), { path, keepGenerations: 2 })
    await build(records(before), { path, keepGenerations: 2 })
    expect(generationsIn(path)).toEqual(['gen-000001', 'gen-000002', 'gen-000003'])
    await build(records(before), { path, keepGenerations: 0 })
    expect(generationsIn(path)).toEqual(['gen-000004'])
  })

  it('says in its manifest what it said in its report', async () => {
    const { path, report } = await build(records(before))
    const { manifest } = await readManifest(path)
    const { stages, events, seconds, peakRssBytes, memory, ...rest } = report
    expect(manifest.report).toMatchObject(rest)
    expect(manifest.report.stages).toEqual(stages.slice(0, -1))
    expect(manifest.report.events).toEqual(events)
    // Samples of while it was written came later.
    const { timeline } = manifest.report.memory
    expect(timeline).toEqual(memory.timeline.slice(0, timeline.length))
    expect(manifest.report.seconds).toBeLessThanOrEqual(seconds)
    expect(manifest.report.peakRssBytes).toBeLessThanOrEqual(peakRssBytes)
    expect(report.diskBytes).toBe(manifest.segments.reduce((sum, file) => sum + file.bytes, 0))
    for (const { bytes, name } of manifest.segments)
      expect(readFileSync(join(path, report.generation, name))).toHaveLength(bytes)
  })
})

it('spill files go to tempDir, and from there', async () => {
  const tempDir = makeFolder()
  let seen = 0
  const path = join(makeFolder(), 'an.index')
  await buildIndex(records(randomRows(20_000, 16, 3)), {
    path,
    tempDir,
    queueBytes: 0,
    onProgress: ({ stage, spilledBytes }) => {
      if (stage !== 'shards' || spilledBytes === 0) return
      seen = Math.max(seen, readdirSync(tempDir, { recursive: true }).length)
    },
  })
  expect(seen).toBeGreaterThan(1)
  expect(readdirSync(tempDir)).toEqual([])
})

it('a folder of other files is refused, and with force all of them are there after builds into it', async () => {
  const path = makeFolder()
  const theirs = {
    'notes.txt': 'a',
    'gen-000001/photo.jpg': 'b',
    'gen-000002/vectors-000.seg': 'c',
    'build/app.js': 'd',
  }
  for (const [name, text] of Object.entries(theirs)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), text)
  }
  await expect(buildIndex(records(before), { path })).rejects.toThrow('--force (force: true)')
  const first = await buildIndex(records(before), { path, force: true, keepGenerations: 0 })
  expect(first.generation).toBe('gen-000003')
  // Now it is an index.
  const { events } = await buildIndex(records(before), { path, keepGenerations: 0 })
  expect(events.map(({ message }) => message)).toContain(
    'gen-000001 could not be deleted: it holds photo.jpg, which no build wrote',
  )
  for (const [name, text] of Object.entries(theirs)) expect(readFileSync(join(path, name), 'utf8')).toBe(text)
  expect(generationsIn(path)).toEqual(['gen-000001', 'gen-000002', 'gen-000004'])
})
