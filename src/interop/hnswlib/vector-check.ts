import { Kernel } from '../../../kernel/kernel.js'
import { InvalidFileError, InvalidVectorError } from '../../errors.js'
import { whyInvalid } from '../../pipeline/ingest/why-invalid.js'
import type { Uses } from '../../pipeline/run/run.js'
import { isDeleted, type HnswlibFile, type RecordRun } from './hnswlib-file.js'
import { hnswlibSizes } from './hnswlib-header.js'

/**
 * Largest error of a squared length that should be 1: float32 sums have thousands of terms, and some programs round
 * more.
 */
const UNIT_TOLERANCE = 1e-3

/** Checks the norms of vectors, one run of records at a time, in kernel memory. */
export class VectorCheck {
  maxSquaredNorm = 0
  readonly #run: Uses<'options'>
  readonly #file: HnswlibFile
  readonly #kernel = Kernel.create()
  #capacity = 0
  #rowsAt = 0
  #normsAt = 0

  constructor(run: Uses<'options'>, file: HnswlibFile) {
    this.#run = run
    this.#file = file
  }

  check(records: RecordRun): void {
    const { dimensions } = this.#file.header
    const { dataOffset, labelOffset } = hnswlibSizes(this.#file.header)
    // The first run is the longest one.
    if (this.#capacity === 0) {
      this.#capacity = records.count
      this.#rowsAt = this.#kernel.alloc(4 * records.count * dimensions)
      this.#normsAt = this.#kernel.alloc(8 * records.count)
    }
    const rows = this.#kernel.u8(this.#rowsAt, 4 * records.count * dimensions)
    for (let i = 0; i < records.count; i++) {
      rows.set(records.record(i).subarray(dataOffset, labelOffset), 4 * i * dimensions)
    }
    this.#kernel.fn.prepareRows(this.#rowsAt, records.count, dimensions, 0, this.#normsAt)
    const norms = this.#kernel.f64(this.#normsAt, records.count)
    for (let i = 0; i < records.count; i++)
      if (!isDeleted(records.record(i))) this.#checkNorm(norms[i], records.first + i)
  }

  #checkNorm(squared: number, element: number): void {
    const cosine = this.#run.options.metric === 'cosine'
    const reason = whyInvalid(squared, cosine)
    if (reason !== undefined) {
      const what = `${this.#file.path}: element`
      throw new InvalidVectorError({ ordinal: element, reason, invalidOption: false, what })
    }
    if (cosine && Math.abs(squared - 1) > UNIT_TOLERANCE) {
      throw new InvalidFileError(
        this.#file.path,
        `element ${element} has a vector of length ${Math.sqrt(squared).toPrecision(4)}, ` +
          `but under cosine all have length 1; ` +
          `pass the metric that the file was built with`,
      )
    }
    this.maxSquaredNorm = Math.max(this.maxSquaredNorm, squared)
  }
}
