import { DimensionMismatchError, InvalidFileError } from '../../errors.js'

/** All vectors of a file, each a Float32Array of its own memory. @throws DimensionMismatchError, InvalidFileError, PathError */
export async function readQueries(path: string, dimensions: number): Promise<Float32Array[]> {
  // Loaded when it is wanted, so that other commands start without it.
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
    if (queries.length === 0) throw new InvalidFileError(path, 'it has no vectors, expected at least one query')
    return queries
  } finally {
    await file.close()
  }
}
