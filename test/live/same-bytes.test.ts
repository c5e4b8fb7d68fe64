/** Same base, same log, same options: the same bytes, whatever threads and memory. */
import { createHash } from 'node:crypto'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { expect, it } from 'vitest'
import { assertFields } from '../../src/fields/schema.js'
import { makeFolder, randomNumbers } from '../fixtures/builds.js'
import { columnsOf, FIELD_SCHEMA, randomFields } from '../fixtures/field-model.js'
import { openLive, settings } from '../fixtures/small-live-index.js'

const limits = { maxParts: 3, memoryRows: 3000, memoryBytes: 2 ** 22, logBytes: 2 ** 22, maxWaiting: 4, graphRows: 500 }

/** Hashes of files whose bytes follow from what is in them: reports and names of processes are not among them. */
function hashes(folder: string, isOne: (name: string) => boolean): Record<string, string> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const names = entries.map((entry) => relative(folder, join(entry.parentPath, entry.name))).filter(isOne)
  const hash = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(folder, name)))
      .digest('hex')
  return Object.fromEntries(names.sort().map((name) => [name, hash(name)]))
}

it('parts and the compacted generation have the same bytes with other threads and memory', async () => {
  const folder = makeFolder()
  const template = join(folder, 'template.index')
  const random = randomNumbers(3)
  const index = await openLive(
    template,
    { limits },
    settings({ dimensions: 16, metric: 'cosine', fields: assertFields(FIELD_SCHEMA) }),
  )
  const upsert = (first: number, count: number): Promise<unknown> =>
    index.upsert({
      ids: Array.from({ length: count }, (_, i) => (i % 5 === 0 ? `id ${first + i}` : first + i)),
      vectors: Float32Array.from({ length: 16 * count }, () => random() - 0.5),
      dimensions: 16,
      fields: columnsOf(Array.from({ length: count }, () => randomFields(random))),
    })
  await upsert(0, 1500)
  await index.compact({ threads: 1 })
  await upsert(1000, 1200)
  await index.delete(Array.from({ length: 200 }, (_, i) => 3 * i))
  await index.close()

  const seen = []
  for (const [threads, memory] of [
    [1, '600 MB'],
    [3, '2 GB'],
  ] as const) {
    const path = join(folder, `${threads}.index`)
    cpSync(template, path, { recursive: true })
    const opened = await openLive(path, { limits, threads, buildThreads: threads, memory })
    await opened.flush()
    const isPart = (name: string): boolean => /part-.*\.(?:seg|log)$|sequences$|dead-\d+$/.test(name)
    const parts = hashes(join(path, 'live'), isPart)
    await opened.compact({ threads, memory })
    await opened.close()
    seen.push({ parts, generation: hashes(join(path, opened.generation), (name) => name.endsWith('.seg')) })
  }
  expect(Object.keys(seen[0].parts).length).toBeGreaterThan(4)
  expect(Object.keys(seen[0].generation).length).toBeGreaterThan(3)
  expect(seen[1]).toEqual(seen[0])
})
