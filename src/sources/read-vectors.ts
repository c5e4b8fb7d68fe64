/** Reads vector files as the source of a build. */
import type { DescribedSource, SourceFacts, VectorBatch } from '../api/vectors.js'
import { openVectorFiles, type OpenVectorFileOptions } from './open-vector-file.js'
import type { VectorFile } from './vector-file.js'

/** A source for `buildIndex`, and an async iterable of its batches. */
export interface VectorReader extends DescribedSource, AsyncIterable<VectorBatch> {
  (startAt?: number): AsyncGenerator<VectorBatch, void, void>
}

/**
 * One or more vector files, in any supported format, as the source of a build: `buildIndex(readVectors('a.parquet'), {
 * path })`. Such a build can be resumed after an interruption while the files are unchanged, unless it reads a pipe or
 * standard input ('-'). With `fields` the columns named become fields of the index. Patterns such as `parts/*.npy` stand for the files they match, sorted. Files are opened on
 * first use, which throws the errors of `openVectorFile`.
 */
export function readVectors(paths: string | readonly string[], options: OpenVectorFileOptions = {}): VectorReader {
  // A value that is neither is refused by its kind when the first file is opened.
  const given = Array.isArray(paths) ? [...(paths as readonly string[])] : [paths as string]
  let opening: Promise<VectorFile> | undefined
  const open = (): Promise<VectorFile> => {
    opening ??= openVectorFiles(given, options).catch((error: unknown) => {
      // A missing file may exist at the next call.
      opening = undefined
      throw error
    })
    return opening
  }

  async function* batches(startAt = 0): AsyncGenerator<VectorBatch, void, void> {
    yield* (await open()).batches(startAt)
  }

  async function facts(): Promise<SourceFacts> {
    const file = await open()
    const { count, dimensions, fields } = file
    return { count, dimensions, fingerprint: await file.fingerprint(), ...(fields && { fields }) }
  }

  return Object.assign(batches, { facts, [Symbol.asyncIterator]: () => batches() })
}
