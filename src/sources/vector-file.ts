/** The interface of every vector file, and the plan that each format makes before it reads a row. */
import type { VectorBatch } from '../api/vectors.js'
import type { FieldSchema } from '../api/fields.js'
import type { ByteReader } from './bytes/byte-reader.js'
import type { FieldsToRead } from './fields/wanted-fields.js'

export type VectorFileFormat =
  | 'fvecs'
  | 'bvecs'
  | 'npy'
  | 'npz'
  | 'safetensors'
  | 'fbin'
  | 'u8bin'
  | 'i8bin'
  | 'parquet'
  | 'arrow'
  | 'hdf5'
  | 'json-lines'
  | 'csv'
  | 'tsv'
  | 'word-vectors'
  | 'word2vec'
  | 'raw'

/** Most bytes of float32 in one batch. */
export const BATCH_BYTES = 1 << 20

/**
 * A vector file whose header and size are checked. No handle is open between passes: each pass of `batches()` opens the
 * file anew and closes it when it ends, fails or is left early.
 */
export interface VectorFile {
  /** The path that the caller gave; '-' is standard input. */
  readonly path: string
  readonly format: VectorFileFormat
  /** Number of rows; undefined for text such as JSON lines, which has no header. */
  readonly count: number | undefined
  /** Length of every row; undefined for text such as JSON lines, which has no header. */
  readonly dimensions: number | undefined
  /** Size of the file; undefined for a pipe. */
  readonly bytes: number | undefined
  /** The fields that its batches have, with the types that were given or found; undefined when none were asked for. */
  readonly fields: FieldSchema | undefined
  /**
   * One pass over the rows in file order, in batches of at most 1 MiB of float32. A batch's `vectors` is a view of a
   * buffer that the next batch overwrites: copy the rows to keep them. `ids` and `fields` may be kept. A pipe can be read only once.
   * `startAt` skips the rows before it: fixed-size rows by seeking, JSON lines by reading past them.
   * @throws InvalidFileError at the first bad row, after all rows before it are yielded
   * @throws PathError when the file can no longer be read
   */
  batches(startAt?: number): AsyncGenerator<VectorBatch, void, void>
  /**
   * Equal when a later run reads the same data: size, time of change and first bytes, also of the id file. Undefined
   * for a pipe, which cannot be read again.
   * @throws PathError
   */
  fingerprint(): Promise<string | undefined>
  /** Closes open passes and refuses later ones. Idempotent. */
  close(): Promise<void>
}

/** Options for reading a file; each format uses the ones that concern it. */
export interface ReadOptions {
  /**
   * The column of vectors of a table, the dataset of HDF5, the array of npz or safetensors, or the field of JSON records,
   * which may be a path such as `data.embedding`; `dim_*` is all columns of CSV whose names begin so. Default: the only
   * one; `train` of HDF5; `vector` or `embedding` of JSON and CSV.
   */
  readonly vectorColumn?: string
  /** The column of ids: text, integers or UUIDs. Default: `id` of JSON and CSV, otherwise none. */
  readonly idColumn?: string
  /** Length of the rows of raw float32, which does not say it. */
  readonly dimensions?: number
  /**
   * Columns of Parquet, Arrow, CSV and TSV, or fields of JSON records, that become fields of the same names: a schema, or
   * names with a type after a colon or without, as `['category', 'price:number']`. Where no type is given it is the
   * column's own; in JSON lines that of the first values; in CSV keyword. Parts have paths, as `meta.category`. Null is
   * missing, and so is NaN in a column of floats. See docs/fields-in-files.md.
   */
  readonly fields?: FieldsToRead
  /**
   * For rows without a vector, such as null or an empty list, or a failed request in OpenAI's batch output: `'error'`, the
   * default, ends the pass; `'skip'` yields rows of NaN, which a build with `invalid: 'skip'` leaves out and counts.
   */
  readonly invalid?: 'error' | 'skip'
}

/** The facts that a format knows before its first row, and how to read its rows. */
export interface ReadPlan {
  readonly count: number | undefined
  readonly dimensions: number | undefined
  readonly fields?: FieldSchema
  batches(bytes: ByteReader, startAt: number): AsyncGenerator<VectorBatch, void, void>
}

/** Rows of `dimensions` float32, each with or without a 4-byte prefix, that fill a batch; at least 3. */
export function rowsPerBatch(dimensions: number): number {
  return Math.floor(BATCH_BYTES / (4 * (dimensions + 1)))
}
