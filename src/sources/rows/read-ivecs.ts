/** ivecs, the format of ground truth: per row an i32 d, then d i32. */
import { InvalidFileError } from '../../errors.js'
import { openFileBytes } from '../bytes/byte-reader.js'
import { readInt32, ROW_PREFIX_BYTES, vecsChunks, vecsLayout } from './vecs-layout.js'

/** Row-major: `rows.length = count x dimensions`. */
export interface IvecsFile {
  readonly rows: Int32Array
  readonly count: number
  readonly dimensions: number
}

/** 67 million numbers: 100 neighbours for each of 670,000 queries. */
const MAX_BYTES = 2 ** 28

/**
 * Reads a whole ivecs file into memory: 4 bytes a value, and at most 256 MiB, because a file may claim any size.
 * @throws InvalidFileError, PathError
 */
export async function readIvecs(path: string): Promise<IvecsFile> {
  const bytes = await openFileBytes(path)
  try {
    const layout = await vecsLayout(bytes, 'ivecs', Int32Array.BYTES_PER_ELEMENT)
    const { count, dimensions } = layout
    const size = 4 * count * dimensions
    if (size > MAX_BYTES)
      throw new InvalidFileError(path, `it has ${size} bytes of numbers, expected at most ${MAX_BYTES}`)
    const rows = new Int32Array(count * dimensions)
    let to = 0
    for await (const chunk of vecsChunks(bytes, layout, 0)) {
      let from = 0
      for (let row = 0; row < chunk.rows; row++) {
        from += ROW_PREFIX_BYTES
        for (let i = 0; i < dimensions; i++, from += 4) rows[to++] = readInt32(chunk.bytes, from)
      }
    }
    return { rows, count, dimensions }
  } finally {
    await bytes.close()
  }
}
