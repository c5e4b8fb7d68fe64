/** What every reader of vector files gives, and the plan each format makes before it reads a row. */
import type { VectorBatch } from '../api/vectors.js'
import type { ByteReader } from './bytes/byte-reader.js'

export type VectorFileFormat =
  'fvecs' | 'bvecs' | 'npy' | 'fbin' | 'u8bin' | 'i8bin' | 'parquet' | 'arrow' | 'hdf5' | 'json-lines'

/** Bytes of float32 in one yielded batch at most. */
export const BATCH_BYTES = 1 << 20

/**
 * A file of vectors, checked as far as its header and size can tell. No handle is open between passes: each pass of
 * `batches()` opens the file anew and closes it when it ends, fails or is left early.
 */
export interface VectorFile {
  /** As the caller gave it; '-' is standard input. */
  readonly path: string
  readonly format: VectorFileFormat
  /** Rows, when header and size tell; undefined for JSON lines. */
  readonly count: number | undefined
  /** Length of every row, when the header tells; undefined for JSON lines. */
  readonly dimensions: number | undefined
  /** Size of the file; undefined for a pipe. */
  readonly bytes: number | undefined
  /**
   * One pass over the rows in file order, in batches of at most 1 MiB of float32. A batch's `vectors` is a view of a
   * buffer that the next batch overwrites: it is valid until the next one is asked for, and a consumer that keeps rows
   * copies them. `ids` is the consumer's to keep. A pipe can be read only once.
   * `startAt` leaves out the rows before it: fixed-size rows by seeking, JSON lines by reading past them.
   * @throws InvalidFileError at the first bad row, after every row before it was yielded
   * @throws PathError when the file can no longer be read
   */
  batches(startAt?: number): AsyncGenerator<VectorBatch, void, void>
  /**
   * Tells whether a later run reads the same: size, time of change and first bytes, of the id file too. Undefined for a
   * pipe, which cannot be read again.
   * @throws PathError
   */
  fingerprint(): Promise<string | undefined>
  /** Closes passes that are still open; later ones are refused. May be called more than once. */
  close(): Promise<void>
}

/** What a caller may say about a file; a format takes what concerns it. */
export interface ReadOptions {
  /** The column of vectors of a Parquet or Arrow file, or the dataset of HDF5. Default: the only one, or `train` of HDF5. */
  readonly vectorColumn?: string
  /** The column of ids of such a file: text or integers. Default: none. */
  readonly idColumn?: string
  /**
   * Vectors that are missing where a row is, such as null in Parquet, or requests of OpenAI's batch output that failed:
   * `'error'`, the default, ends the pass there; `'skip'` gives rows of NaN, which a build with `invalid: 'skip'` leaves out
   * and counts.
   */
  readonly invalid?: 'error' | 'skip'
}

/** What a format knows before its first row, and how to read the rows. */
export interface ReadPlan {
  readonly count: number | undefined
  readonly dimensions: number | undefined
  batches(bytes: ByteReader, startAt: number): AsyncGenerator<VectorBatch, void, void>
}

/** Rows of `dimensions` float32, each with a 4-byte prefix or none, that fill a batch; at least 3. */
export function rowsPerBatch(dimensions: number): number {
  return Math.floor(BATCH_BYTES / (4 * (dimensions + 1)))
}
