import type { Kernel } from '../../../kernel/kernel.js'
import { codeShape, PQ_CENTROIDS, type CodeStorage } from '../../format/code-shape.js'
import { PartWriter, type PartChecksums } from '../../format/part-writer.js'
import { ENCODE_CHUNK_BYTES } from '../../memory/plan-build.js'
import type { RowFile } from '../../search/file-rows.js'
import type { Metric } from '../../types.js'
import { openRows } from '../row-files.js'

/** The compact codes of all vectors of one segment. */
export interface EncodeTask {
  readonly storage: CodeStorage
  readonly metric: Metric
  readonly dimensions: number
  readonly vectors: RowFile
  /** Empty for a storage that has none. */
  readonly codebook: Float32Array
  /** The codes segment; its nodes are those of `vectors`. */
  readonly path: string
}

export interface EncodeResult {
  readonly checksums: PartChecksums
  /** Components that lay beyond what a code can say, and got the nearest that it can. */
  readonly clamped: number
}

/** Of the squared norm that ends a code of sq8: what the distance needs beside the products (docs/format.md). */
const NORM_FACTORS: Readonly<Record<Metric, number>> = { l2: 1, cosine: 0.5, ip: 0 }

export function encodeSegment(kernel: Kernel, task: EncodeTask): EncodeResult {
  const { dimensions, vectors, path, codebook } = task
  const { strideBytes } = codeShape(task.storage, dimensions)
  const chunkRows = Math.min(vectors.count, Math.max(1, Math.floor(ENCODE_CHUNK_BYTES / (4 * dimensions))))
  const places: Places = {
    codebook: kernel.alloc(codebook.byteLength),
    scratch: kernel.alloc(4 * Math.max(dimensions, PQ_CENTROIDS)),
    rows: kernel.alloc(4 * chunkRows * dimensions),
    codes: kernel.alloc(chunkRows * strideBytes),
  }
  kernel.f32(places.codebook, codebook.length).set(codebook)
  let clamped = 0
  const file = openRows(vectors, 4 * dimensions)
  try {
    const writer = new PartWriter(path, 0)
    try {
      for (let done = 0; done < vectors.count; done += chunkRows) {
        const count = Math.min(chunkRows, vectors.count - done)
        file.read(vectors.firstNode + done, kernel.u8(places.rows, 4 * count * dimensions))
        clamped += encodeRows(kernel, task, places, count)
        writer.write(kernel.u8(places.codes, count * strideBytes))
      }
      return { checksums: writer.finish(), clamped }
    } finally {
      writer.close()
    }
  } finally {
    file.close()
  }
}

interface Places {
  readonly codebook: number
  readonly scratch: number
  readonly rows: number
  readonly codes: number
}

/** Returns how many components were clamped. */
function encodeRows({ fn }: Kernel, { storage, metric, dimensions }: EncodeTask, at: Places, count: number): number {
  switch (storage) {
    case 'f16':
      return fn.encodeF16(at.rows, count, dimensions, at.codes)
    case 'sq8':
      return fn.encodeSq8(at.rows, count, dimensions, at.codebook, NORM_FACTORS[metric], at.codes)
    case 'pq': {
      const { subspaces } = codeShape(storage, dimensions)
      fn.encodePq(at.rows, count, dimensions, at.codebook, subspaces, at.codes, at.scratch)
      return 0
    }
    case 'binary':
      fn.encodeBinary(at.rows, count, dimensions, at.codebook, at.codes, at.scratch)
      return 0
  }
}
