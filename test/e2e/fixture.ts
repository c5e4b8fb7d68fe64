/** Whole builds for the tests here: the built package, the example data, and what a folder holds. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect } from 'vitest'
import {
  buildIndex,
  openIndex,
  openVectorFile,
  verifyIndex,
  type BuildOptions,
  type BuildReport,
  type Id,
  type Index,
  type Metric,
  type ResumableSource,
  type VectorBatch,
  type VectorRecord,
  type VectorSource,
} from '../../dist/src/index.js'

const folders: string[] = []
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** A new empty folder, deleted when the file's tests are done. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'shardloom-e2e-'))
  folders.push(folder)
  return folder
}

export function examplePath(name: string): string {
  return fileURLToPath(new URL(`../../examples/data/${name}`, import.meta.url))
}

export interface Rows {
  readonly values: Float32Array
  readonly count: number
  readonly dimensions: number
}

export async function readExample(name: string): Promise<Rows> {
  const file = await openVectorFile(examplePath(name), {})
  const parts: Float32Array[] = []
  let dimensions = 0
  let length = 0
  for await (const batch of file.batches()) {
    parts.push(batch.vectors.slice())
    length += batch.vectors.length
    dimensions = batch.dimensions
  }
  await file.close()
  const values = new Float32Array(length)
  let at = 0
  for (const part of parts) {
    values.set(part, at)
    at += part.length
  }
  return { values, count: length / dimensions, dimensions }
}

export function rowOf({ values, dimensions }: Rows, row: number): Float32Array {
  return values.subarray(row * dimensions, (row + 1) * dimensions)
}

/** Uniform in [0, 1), a function of the seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Rows by their components. */
export function makeRows(count: number, dimensions: number, component: (row: number, d: number) => number): Rows {
  const values = new Float32Array(count * dimensions)
  for (let i = 0; i < values.length; i++) values[i] = component(Math.floor(i / dimensions), i % dimensions)
  return { values, count, dimensions }
}

/** Bell-shaped around zero. */
export function randomRows(count: number, dimensions: number, seed: number): Rows {
  const random = randomNumbers(seed)
  return makeRows(count, dimensions, () => random() + random() + random() + random() - 2)
}

export function concatRows(...parts: Rows[]): Rows {
  const { dimensions } = parts[0]
  const values = Float32Array.from(parts.flatMap((part) => Array.from(part.values)))
  return { values, count: values.length / dimensions, dimensions }
}

/** One record for each row. */
export function* records(rows: Rows, idOf?: (row: number) => Id): Generator<VectorRecord> {
  for (let row = 0; row < rows.count; row++) {
    const vector = rowOf(rows, row)
    yield idOf === undefined ? { vector } : { id: idOf(row), vector }
  }
}

/** Batches whose sizes follow from the seed. */
export function* batches(rows: Rows, idOf?: (row: number) => Id, seed = 1, most = 1500): Generator<VectorBatch> {
  const random = randomNumbers(seed)
  const { dimensions, count, values } = rows
  for (let from = 0; from < count;) {
    const to = Math.min(count, from + 1 + Math.floor(random() * most))
    const vectors = values.subarray(from * dimensions, to * dimensions)
    const ids = idOf && Array.from({ length: to - from }, (_, i) => idOf(from + i))
    yield ids === undefined ? { vectors, dimensions } : { ids, vectors, dimensions }
    from = to
  }
}

export interface Built {
  readonly path: string
  readonly report: BuildReport
}

/** Builds, and checks what holds for every build: the report agrees with itself and `verify` finds nothing. */
export async function build(
  source: VectorSource | ResumableSource,
  options: Partial<BuildOptions> = {},
): Promise<Built> {
  const path = options.path ?? join(makeFolder(), 'an.index')
  const report = await buildIndex(source, { ...options, path })
  expect(report.reachable).toBe(report.count)
  expect(report.skipped).toBe(report.skippedInvalid + report.skippedDuplicates)
  expect(report.stages.map(({ name }) => name)).toEqual([
    'plan', 'ingest', 'route', 'number', 'shards', 'merge', 'upper levels',
    ...(report.storage === 'f32' ? [] : ['codes']), 'prove', 'publish',
  ]) // prettier-ignore
  const verified = await verifyIndex(path)
  expect(verified.problems).toEqual([])
  expect(verified).toMatchObject({ ok: true, count: report.count, generation: report.generation })
  expect(readdirSync(path)).not.toContain('build')
  return { path, report }
}

/** Opens for one use. */
export async function withIndex<Result>(
  path: string,
  use: (index: Index) => Promise<Result> | Result,
): Promise<Result> {
  const index = await openIndex(path)
  try {
    return await use(index)
  } finally {
    await index.close()
  }
}

export function distanceOf(metric: Metric, a: Float32Array, b: Float32Array): number {
  let dot = 0
  let squares = 0
  let normA = 0
  let normB = 0
  for (let d = 0; d < a.length; d++) {
    dot += a[d] * b[d]
    squares += (a[d] - b[d]) ** 2
    normA += a[d] ** 2
    normB += b[d] ** 2
  }
  return metric === 'l2' ? squares : metric === 'ip' ? -dot : 1 - dot / Math.sqrt(normA * normB)
}

/** Distance of the k-th nearest row, by comparing with every one. */
export function kthDistance(metric: Metric, rows: Rows, query: Float32Array, k: number): number {
  const distances = Float64Array.from({ length: rows.count }, (_, row) => distanceOf(metric, query, rowOf(rows, row)))
  return distances.sort()[k - 1]
}

/** Share of the true k nearest found; among equal distances any is right. `rowOfId` turns a hit's id into its row. */
export function recallAt(
  index: Index,
  rows: Rows,
  queries: readonly Float32Array[],
  rowOfId: (id: Id) => number = Number,
  { k = 10, ef = 64 } = {},
): number {
  let hits = 0
  for (const query of queries) {
    const kth = kthDistance(index.metric, rows, query, k)
    const tolerance = 1e-5 * Math.max(1, Math.abs(kth))
    const found = index.search(query, { k, ef }).map(({ id }) => rowOfId(id))
    expect(new Set(found).size).toBe(k)
    hits += found.filter((row) => distanceOf(index.metric, query, rowOf(rows, row)) <= kth + tolerance).length
  }
  return hits / (k * queries.length)
}

/** Every file below a folder, with a hash of its bytes. */
export function contentsOf(folder: string): Record<string, string> {
  const contents: Record<string, string> = {}
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
  for (const entry of names) {
    const path = join(entry.parentPath, entry.name)
    const name = relative(folder, path)
    contents[name] = entry.isDirectory() ? 'folder' : createHash('sha256').update(readFileSync(path)).digest('hex')
  }
  return contents
}

/** The .seg files of the live generation, with hashes of their bytes. */
export function segmentsOf({ path, report }: Built): Record<string, string> {
  const contents = contentsOf(join(path, report.generation))
  const segments = Object.fromEntries(Object.entries(contents).filter(([name]) => name.endsWith('.seg')))
  expect(Object.keys(segments).length).toBeGreaterThanOrEqual(3)
  return segments
}

export function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined
}
