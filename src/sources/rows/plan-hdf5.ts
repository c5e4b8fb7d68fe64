/**
 * HDF5 as ann-benchmarks writes it: a two-dimensional dataset `train` of numbers. Uses h5wasm, which is loaded when
 * such a file is opened and need not be installed otherwise. It opens files by path and reads rows in slices.
 */
import type * as H5wasm from 'h5wasm/node'
import { InvalidFileError, MissingPackageError } from '../../errors.js'
import { knownByteLength, type ByteReader } from '../bytes/byte-reader.js'
import { chooseColumns, type TableColumn } from '../tables/choose-columns.js'
import { widenHalves } from './value-type.js'
import { rowsPerBatch, type ReadOptions, type ReadPlan } from '../vector-file.js'
import { MAX_DIMENSIONS } from '../../api/vectors.js'
import { loadPeer } from '../../runtime/load-peer.js'
import { isFloat32Array, messageOf, viewKind } from '../../runtime/realms.js'

export const HDF5_MAGIC = Uint8Array.of(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)

/** ann-benchmarks' name of the vectors; beside it are `test` and its neighbours. */
const USUAL_NAME = 'train'
const MESSAGE_CHARACTERS = 200

/** HDF5's type classes. */
const [INTEGERS, FLOATS] = [0, 1]

type Library = typeof H5wasm
type Dataset = H5wasm.Dataset
type NumberArray = ArrayBufferView & ArrayLike<number>

let loading: Promise<Library> | undefined

/** @throws MissingPackageError when it is not installed */
export async function loadH5wasm(
  path: string,
  load: () => Promise<Library> = () => loadPeer('h5wasm/node') as Promise<Library>,
): Promise<Library> {
  let library: Library
  try {
    library = await load()
  } catch (cause) {
    throw new MissingPackageError(`${path}: HDF5`, ['h5wasm'], cause)
  }
  const module = await library.ready
  // Without it h5wasm prints a failure and returns a file that is not open.
  module.activate_throwing_error_handler()
  return library
}

/** @throws InvalidFileError, PathError for a pipe, MissingPackageError */
export async function planHdf5(bytes: ByteReader, options: ReadOptions): Promise<ReadPlan> {
  knownByteLength(bytes, 'HDF5')
  const library = await (loading ??= loadH5wasm(bytes.path).catch((error: unknown) => {
    loading = undefined
    throw error
  }))
  const file = new Hdf5File(library, bytes.path)
  const { name, rows: count, dimensions } = file.choose(options)
  return {
    count,
    dimensions,
    async *batches(pass, startAt) {
      const rowsAtOnce = rowsPerBatch(dimensions)
      const one = new Uint8Array(1)
      for (let row = startAt; row < count; row += rowsAtOnce) {
        // h5wasm opens the path anew, so this read throws when the pass was closed.
        await pass.read(one, 0)
        yield { vectors: file.rows(name, row, Math.min(count, row + rowsAtOnce), dimensions), dimensions }
      }
    },
  }
}

interface Chosen {
  readonly name: string
  readonly rows: number
  readonly dimensions: number
}

class Hdf5File {
  readonly #library: Library
  readonly #path: string

  constructor(library: Library, path: string) {
    this.#library = library
    this.#path = path
  }

  /** Chooses the dataset. @throws InvalidFileError when there is no such dataset */
  choose(options: ReadOptions): Chosen {
    return this.#opened((file) => {
      const columns = file.keys().map((name): TableColumn => this.#columnOf(file, name))
      const usual = columns.find(({ name, use }) => name === USUAL_NAME && use === 'vector')?.name
      const chosen = chooseColumns(columns, { ...options, vectorColumn: options.vectorColumn ?? usual })
      if (typeof chosen === 'string') throw new InvalidFileError(this.#path, chosen)
      const { name } = columns[chosen.vector]
      const [rows, dimensions] = this.#dataset(file, name)?.shape ?? []
      if (!(Number.isSafeInteger(rows) && dimensions >= 1 && dimensions <= MAX_DIMENSIONS)) {
        const reason =
          `its dataset ${JSON.stringify(name)} has the shape (${rows}, ${dimensions}), ` +
          `expected 1 to ${MAX_DIMENSIONS} dimensions`
        throw new InvalidFileError(this.#path, reason)
      }
      return { name, rows, dimensions }
    })
  }

  rows(name: string, from: number, to: number, dimensions: number): Float32Array {
    return this.#opened((file) => {
      const dataset = this.#dataset(file, name)
      if (dataset === undefined) throw new Error(`its dataset ${JSON.stringify(name)} is gone`)
      const type = dataset.metadata
      const values: unknown = readable(dataset).slice([
        [from, to],
        [0, dimensions],
      ])
      if (!ArrayBuffer.isView(values) || !('length' in values) || values.length !== (to - from) * dimensions) {
        throw new Error(`rows ${from} to ${to} of its dataset ${JSON.stringify(name)} cannot be read`)
      }
      return asFloats(values as unknown as NumberArray, type)
    })
  }

  #columnOf(file: H5wasm.File, name: string): TableColumn {
    const dataset = this.#dataset(file, name)
    if (dataset === undefined) return { name, type: 'no dataset', use: 'none' }
    const { type, size } = dataset.metadata
    const isRead = type === FLOATS ? size === 2 || size === 4 || size === 8 : type === INTEGERS && size <= 2
    const { shape } = dataset
    const what = type === FLOATS ? 'floats' : type === INTEGERS ? 'integers' : 'values'
    return {
      name,
      type: `${what} of ${size} bytes in ${shape?.length ?? 0} dimensions`,
      use: shape?.length === 2 && isRead ? 'vector' : 'none',
    }
  }

  #dataset(file: H5wasm.File, name: string): Dataset | undefined {
    const entity = file.get(name)
    return entity instanceof this.#library.Dataset ? entity : undefined
  }

  /** Opens the file for one call: it is not open between slices. */
  #opened<Result>(look: (file: H5wasm.File) => Result): Result {
    let file: H5wasm.File | undefined
    try {
      file = new this.#library.File(this.#path, 'r')
      return look(file)
    } catch (cause) {
      if (cause instanceof InvalidFileError) throw cause
      const said = messageOf(cause).split('\n')[0].slice(0, MESSAGE_CHARACTERS)
      throw new InvalidFileError(this.#path, `it is truncated, damaged, or not HDF5 that can be read (${said})`, {
        cause,
      })
    } finally {
      file?.close()
    }
  }
}

const isHalf = ({ type, size }: Dataset['metadata']): boolean => type === FLOATS && size === 2

/** h5wasm has no array for float16: as integers of 16 bits it gives their bits. */
function readable(dataset: Dataset): Dataset {
  const { metadata } = dataset
  if (isHalf(metadata)) {
    Object.defineProperty(dataset, 'metadata', { value: { ...metadata, type: INTEGERS, signed: false } })
  }
  return dataset
}

function asFloats(values: NumberArray, metadata: Dataset['metadata']): Float32Array {
  if (isFloat32Array(values)) return values
  const into = new Float32Array(values.length)
  if (viewKind(values) === 'Uint16Array' && isHalf(metadata)) widenHalves(values as unknown as Uint16Array, into)
  else into.set(values)
  return into
}
