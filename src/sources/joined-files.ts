/** Several files as one: rows and ordinals continue from file to file. */
import { createHash } from 'node:crypto'
import { InvalidFileError } from '../errors.js'
import type { FieldColumn, FieldSchema } from '../api/fields.js'
import type { VectorBatch } from '../api/vectors.js'
import { sliceColumn } from './fields/column-queue.js'
import type { VectorFile, VectorFileFormat } from './vector-file.js'

export class JoinedFiles implements VectorFile {
  readonly path: string
  readonly format: VectorFileFormat
  readonly count: number | undefined
  readonly dimensions: number | undefined
  readonly bytes: number | undefined
  readonly fields: FieldSchema | undefined
  readonly #files: readonly VectorFile[]

  /** Joins two files or more. @throws InvalidFileError when their headers have different dimensions */
  constructor(files: readonly VectorFile[]) {
    this.#files = files
    const [first] = files
    this.path = files.map(({ path }) => path).join(', ')
    this.format = first.format
    this.fields = first.fields
    this.count = sum(files.map(({ count }) => count))
    this.bytes = sum(files.map(({ bytes }) => bytes))
    const known = files.find(({ dimensions }) => dimensions !== undefined)
    this.dimensions = known?.dimensions
    for (const { path, dimensions } of files) {
      if (known !== undefined && dimensions !== undefined) agree(known, this.dimensions, path, dimensions)
    }
  }

  async *batches(startAt = 0): AsyncGenerator<VectorBatch, void, void> {
    let skip = startAt
    let first: { path: string; dimensions: number; hasIds: boolean } | undefined
    for (const file of this.#files) {
      if (file.count !== undefined && skip >= file.count) {
        skip -= file.count
        continue
      }
      const isCounted = file.count === undefined && skip > 0
      let begun = false
      // The number of rows of JSON lines is known only after reading them.
      for await (const batch of isCounted ? file.batches() : file.batches(skip)) {
        if (!begun) {
          begun = true
          const hasIds = batch.ids !== undefined
          first ??= { path: file.path, dimensions: batch.dimensions, hasIds }
          agree(first, first.dimensions, file.path, batch.dimensions)
          if (hasIds !== first.hasIds) throw idsDiffer(file.path, hasIds, first.path)
        }
        if (!isCounted) {
          yield batch
          continue
        }
        const rows = batch.vectors.length / batch.dimensions
        if (skip < rows) yield skip > 0 ? from(batch, skip) : batch
        skip = Math.max(0, skip - rows)
      }
      if (!isCounted) skip = 0
    }
  }

  async fingerprint(): Promise<string | undefined> {
    const hash = createHash('sha256')
    for (const file of this.#files) {
      const print = await file.fingerprint()
      if (print === undefined) return undefined
      hash.update(`${print}\n`)
    }
    return `${this.#files.length} files ${hash.digest('hex').slice(0, 32)}`
  }

  async close(): Promise<void> {
    await Promise.all(this.#files.map((file) => file.close()))
  }
}

function sum(numbers: readonly (number | undefined)[]): number | undefined {
  let all = 0
  for (const number of numbers) {
    if (number === undefined) return undefined
    all += number
  }
  return all
}

/** The rows of a batch from `row` on. */
function from({ ids, vectors, dimensions, fields }: VectorBatch, row: number): VectorBatch {
  return {
    ...(ids && { ids: ids.slice(row) }),
    vectors: vectors.subarray(row * dimensions),
    dimensions,
    ...(fields && { fields: columnsFrom(fields, row) }),
  }
}

function columnsFrom(columns: Readonly<Record<string, FieldColumn>>, row: number): Record<string, FieldColumn> {
  return Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, sliceColumn(column, row, column.length)]),
  )
}

function agree(first: { path: string }, expected: number | undefined, path: string, got: number): void {
  if (got === expected) return
  const reason = `its vectors have ${got} dimensions, ${first.path} has ${expected}; give files with equal dimensions`
  throw new InvalidFileError(path, reason)
}

function idsDiffer(path: string, hasIds: boolean, firstPath: string): InvalidFileError {
  const [here, there] = hasIds ? ['have ids', 'have none'] : ['have no ids', 'have ids']
  return new InvalidFileError(
    path,
    `its vectors ${here}, the vectors of ${firstPath} ${there}; give ids for all or none`,
  )
}
