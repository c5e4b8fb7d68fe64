import { DimensionMismatchError, InvalidFileError } from '../../errors.js'

/** Reads all vectors of a file, each into a copy. @throws DimensionMismatchError, InvalidFileError, PathError */
export async function readQueries(path: string, dimensions: number): Promise<Float32Array[]> {
  // Loaded here, so that other commands start faster.
  const { openVectorFile } = await import('../../sources/open-vector-file.js')
  const file = await openVectorFile(path)
  try {
    const queries: Float32Array[] = []
    for await (const batch of file.batches()) {
      if (batch.dimensions !== dimensions) {
        const mismatch = { ordinal: queries.length, expected: dimensions, got: batch.dimensions, what: 'query' }
        throw new DimensionMismatchError(mismatch)
      }
      const rows = batch.vectors.slice()
      for (let at = 0; at < rows.length; at += dimensions) queries.push(rows.subarray(at, at + dimensions))
    }
    if (queries.length === 0) throw new InvalidFileError(path, 'it has no vectors; at least one query is needed')
    return queries
  } finally {
    await file.close()
  }
}
