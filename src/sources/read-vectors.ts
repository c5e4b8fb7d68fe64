/** Files of vectors as the source of a build. */
import type { DescribedSource, SourceFacts, VectorBatch } from '../api/vectors.js'
import { openVectorFiles, type OpenVectorFileOptions } from './open-vector-file.js'
import type { VectorFile } from './vector-file.js'

/** A source for `buildIndex`, and an async iterable of its batches from the first on. */
export interface VectorReader extends DescribedSource, AsyncIterable<VectorBatch> {
  (startAt?: number): AsyncGenerator<VectorBatch, void, void>
}

/**
 * A file of vectors, or several, in any format that is read, as the source of a build: `buildIndex(readVectors('a.parquet'),
 * { path })`. Such a build goes on when it was interrupted, as long as the files are the same; one of a pipe or of standard
 * input ('-') does not. Patterns such as `parts/*.npy` stand for the files they match, sorted. Nothing is opened before it is
 * read; errors are those of `openVectorFile`, and come from there.
 */
export function readVectors(paths: string | readonly string[], options: OpenVectorFileOptions = {}): VectorReader {
  const given = typeof paths === 'string' ? [paths] : [...paths]
  let opening: Promise<VectorFile> | undefined
  const open = (): Promise<VectorFile> => {
    opening ??= openVectorFiles(given, options).catch((error: unknown) => {
      // What is missing now may be there at the next call.
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
    const { count, dimensions } = file
    return { count, dimensions, fingerprint: await file.fingerprint() }
  }

  return Object.assign(batches, { facts, [Symbol.asyncIterator]: () => batches() })
}
