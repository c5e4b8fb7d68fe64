/** Opens a vector file in any supported format: plans from header and size, then reads in passes. */
import { InvalidOptionError, PathError } from '../errors.js'
import type { FieldSchema } from '../api/fields.js'
import type { VectorBatch } from '../api/vectors.js'
import { kindOf } from '../wording/value-kind.js'
import { checkPath } from './check-path.js'
import { planArrow } from './arrow/plan-arrow.js'
import { planBvecs } from './rows/plan-bvecs.js'
import { fileFingerprint } from './file-fingerprint.js'
import { fileFacts, openFileBytes, streamBytes, type ByteReader, type ByteStream } from './bytes/byte-reader.js'
import { detectFormat, formatByName } from './detect-format.js'
import { planBin } from './rows/plan-bin.js'
import { expandPaths } from './expand-paths.js'
import { refuseFolder, refuseUrl } from './refuse-places.js'
import { planFvecs } from './rows/plan-fvecs.js'
import { planHdf5 } from './rows/plan-hdf5.js'
import { attachIds } from './lines/read-id-lines.js'
import { JoinedFiles } from './joined-files.js'
import { planCsv } from './lines/plan-csv.js'
import { planJsonLines } from './lines/plan-json-lines.js'
import { planWord2vec } from './lines/plan-word2vec.js'
import { planWordVectors } from './lines/plan-word-vectors.js'
import { planRaw } from './rows/plan-raw.js'
import { planNpy } from './rows/plan-npy.js'
import { planNpz } from './tensors/plan-npz.js'
import { planSafetensors } from './tensors/plan-safetensors.js'
import { wantedFields } from './fields/wanted-fields.js'
import type { ReadOptions, ReadPlan, VectorFile, VectorFileFormat } from './vector-file.js'

export interface OpenVectorFileOptions extends ReadOptions {
  /** A file with one id a line, one for each vector: text, or JSON when it is named .jsonl. See `readIdLines`. */
  readonly ids?: string
  /** The stream that '-' reads. Default: `process.stdin`. */
  readonly stdin?: ByteStream
}

/** The compiler holds this list to the options. */
const OPTION_NAMES: Readonly<Record<keyof OpenVectorFileOptions, true>> = {
  vectorColumn: true,
  idColumn: true,
  fields: true,
  invalid: true,
  dimensions: true,
  ids: true,
  stdin: true,
}

/** @throws InvalidOptionError for options that are no object, and for an unknown one */
function checkReadOptions(options: unknown): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidOptionError(`options must be an object, got ${kindOf(options)}`)
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(OPTION_NAMES, name)) continue
    throw new InvalidOptionError(
      `unknown option ${JSON.stringify(name)}; the options of a file are ${Object.keys(OPTION_NAMES).join(', ')}`,
    )
  }
  const { invalid = 'error', stdin: _stdin, dimensions, fields, ...texts } = options as OpenVectorFileOptions
  if (invalid !== 'error' && invalid !== 'skip') {
    throw new InvalidOptionError(`invalid must be one of error, skip, got ${kindOf(invalid)}`)
  }
  if (dimensions !== undefined && !Number.isInteger(dimensions)) {
    throw new InvalidOptionError(`dimensions must be a whole number, got ${kindOf(dimensions)}`)
  }
  wantedFields(fields)
  for (const [name, value] of Object.entries(texts) as [string, unknown][]) {
    if (value !== undefined && typeof value !== 'string') {
      throw new InvalidOptionError(`${name} must be a string, got ${kindOf(value)}`)
    }
  }
}

const STDIN = '-'

type Planner = (bytes: ByteReader, options: ReadOptions) => ReadPlan | Promise<ReadPlan>

const PLANNERS: Readonly<Record<VectorFileFormat, Planner>> = {
  fvecs: planFvecs,
  bvecs: planBvecs,
  npy: planNpy,
  npz: planNpz,
  safetensors: planSafetensors,
  fbin: planBin('fbin'),
  u8bin: planBin('u8bin'),
  i8bin: planBin('i8bin'),
  // Loaded on first use: its libraries take 30 ms.
  parquet: async (bytes, options) => (await import('./parquet/plan-parquet.js')).planParquet(bytes, options),
  arrow: planArrow,
  hdf5: planHdf5,
  'json-lines': (bytes, options) => planJsonLines(options, bytes),
  csv: (_, options) => planCsv(undefined, options),
  tsv: (_, options) => planCsv('\t', options),
  'word-vectors': planWordVectors,
  word2vec: planWord2vec,
  raw: planRaw,
}

/**
 * Opens a file in a format of `VectorFileFormat`, detected by its content, or by its extension where several fit. '-'
 * reads JSON lines from standard input; a named pipe has JSON lines too. Checks header and size; rows are checked as
 * they are read.
 * @throws PathError when there is no such file, it is a folder, or it may not be read
 * @throws InvalidOptionError when a column is named and the format has none
 * @throws InvalidFileError when the file breaks its format, or has another number of vectors than ids
 */
export async function openVectorFile(path: string, options: OpenVectorFileOptions = {}): Promise<VectorFile> {
  checkPath(path, 'the file of vectors')
  checkReadOptions(options)
  refuseUrl(path)
  const file = path === STDIN ? await openStdin(options) : await openPath(path, options)
  return options.ids === undefined ? file : attachIds(file, options.ids)
}

/**
 * Opens several files as one, in the given order, with patterns replaced by the files they match. All files need equal
 * dimensions, and all or none have ids; `ids` is one file for all of them.
 * @throws the errors of `openVectorFile`, and InvalidFileError that names both files when they differ
 */
export async function openVectorFiles(given: readonly string[], all: OpenVectorFileOptions = {}): Promise<VectorFile> {
  checkReadOptions(all)
  const { ids, ...options } = all
  for (const path of given) refuseUrl(path)
  const paths = await expandPaths(given)
  if (paths.length === 1) return openVectorFile(paths[0], { ids, ...options })
  const files: VectorFile[] = []
  for (const path of paths) {
    // The types that the first file tells are those of all.
    const fields = files.at(0)?.fields ?? options.fields
    files.push(await openVectorFile(path, { ...options, ...(fields !== undefined && { fields }) }))
  }
  const joined = new JoinedFiles(files)
  return ids === undefined ? joined : attachIds(joined, ids)
}

async function openStdin(options: OpenVectorFileOptions): Promise<VectorFile> {
  const plan = await planJsonLines(options)
  const open = async (): Promise<ByteReader> => streamBytes(STDIN, options.stdin ?? process.stdin)
  return new PlannedFile({ path: STDIN, format: 'json-lines', plan, bytes: undefined, open })
}

async function openPath(path: string, options: ReadOptions): Promise<VectorFile> {
  await refuseFolder(path)
  const facts = await fileFacts(path)
  if (facts.byteLength === undefined) {
    // A pipe gives its bytes once, so nothing may be read before the pass.
    const format = formatByName(path) ?? 'json-lines'
    if (format !== 'json-lines') {
      throw new PathError(path, `it is a pipe, and ${format} needs a file; only JSON lines can come from a pipe`)
    }
    return new PlannedFile({
      path,
      format,
      plan: await planJsonLines(options),
      bytes: undefined,
      open: () => openFileBytes(path),
    })
  }
  const bytes = await openFileBytes(path, facts)
  try {
    const format = await detectFormat(bytes, facts.byteLength, options)
    refuseColumns(path, format, options)
    refuseFields(path, format, options)
    const plan = await PLANNERS[format](bytes, options)
    // Lines may be appended until they are read: the plan does not depend on their number.
    const planned = plan.count === undefined && TEXTS.has(format) ? undefined : facts
    return new PlannedFile({ path, format, plan, bytes: facts.byteLength, open: () => openFileBytes(path, planned) })
  } finally {
    await bytes.close()
  }
}

/** The formats whose columns, arrays or fields have names. */
const TABLES: ReadonlySet<VectorFileFormat> = new Set([
  'parquet',
  'arrow',
  'hdf5',
  'npz',
  'safetensors',
  'json-lines',
  'csv',
  'tsv',
])
const TEXTS: ReadonlySet<VectorFileFormat> = new Set(['json-lines', 'csv', 'tsv', 'word-vectors'])

function refuseColumns(path: string, format: VectorFileFormat, { vectorColumn, idColumn }: ReadOptions): void {
  if (TABLES.has(format) || (vectorColumn === undefined && idColumn === undefined)) return
  const [option, flag] = vectorColumn === undefined ? ['idColumn', '--id-column'] : ['vectorColumn', '--vector-column']
  throw new InvalidOptionError(
    `${option} (${flag}) names a column of ${[...TABLES].join(', ')}, but ${path} is ${format}`,
  )
}

/** The formats whose columns can be fields. */
const FIELD_TABLES: ReadonlySet<VectorFileFormat> = new Set(['parquet', 'arrow', 'json-lines', 'csv', 'tsv'])

export function canHaveFields(format: VectorFileFormat): boolean {
  return FIELD_TABLES.has(format)
}

function refuseFields(path: string, format: VectorFileFormat, { fields }: ReadOptions): void {
  if (fields === undefined || FIELD_TABLES.has(format)) return
  throw new InvalidOptionError(
    `fields (--fields) names columns of ${[...FIELD_TABLES].join(', ')}, but ${path} is ${format}, which has only ` +
      'vectors; write vectors and fields as one of these formats',
  )
}

interface PlannedFileParts {
  readonly path: string
  readonly format: VectorFileFormat
  readonly plan: ReadPlan
  readonly bytes: number | undefined
  readonly open: () => Promise<ByteReader>
}

class PlannedFile implements VectorFile {
  readonly path: string
  readonly format: VectorFileFormat
  readonly count: number | undefined
  readonly dimensions: number | undefined
  readonly bytes: number | undefined
  readonly fields: FieldSchema | undefined
  readonly #plan: ReadPlan
  readonly #open: () => Promise<ByteReader>
  readonly #passes = new Set<ByteReader>()
  #started = false
  #closed = false

  constructor({ path, format, plan, bytes, open }: PlannedFileParts) {
    this.path = path
    this.format = format
    this.count = plan.count
    this.dimensions = plan.dimensions
    this.bytes = bytes
    this.fields = plan.fields
    this.#plan = plan
    this.#open = open
  }

  async *batches(startAt = 0): AsyncGenerator<VectorBatch, void, void> {
    this.#refuseIfClosed()
    if (this.bytes === undefined && this.#started) throw new PathError(this.path, 'it is a pipe and was read already')
    this.#started = true
    const pass = await this.#open()
    try {
      this.#passes.add(pass)
      this.#refuseIfClosed()
      yield* this.#plan.batches(pass, startAt)
    } finally {
      // close() may have closed it already: a handle is closed once.
      if (this.#passes.delete(pass)) await pass.close()
    }
  }

  async fingerprint(): Promise<string | undefined> {
    return this.bytes === undefined ? undefined : fileFingerprint(this.path)
  }

  async close(): Promise<void> {
    this.#closed = true
    const open = [...this.#passes]
    this.#passes.clear()
    await Promise.all(open.map((pass) => pass.close()))
  }

  #refuseIfClosed(): void {
    if (this.#closed) throw new PathError(this.path, 'it was closed by its reader')
  }
}
