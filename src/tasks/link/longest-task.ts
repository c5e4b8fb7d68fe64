import type { Kernel } from '../../../kernel/kernel.js'
import type { RowFile } from '../../rows/file-rows.js'
import { openRows } from '../../rows/open-rows.js'
import type { BuildSizes } from '../../plan/stage-memory.js'
import { segmentNodes } from '../../plan/segment-size.js'

/** Finds the longest vectors of one segment. */
export interface LongestTask {
  readonly vectors: RowFile
  readonly dimensions: number
  readonly wanted: number
}

export interface LongestResult {
  /** Up to `wanted` nodes, longest first, ties by lower node. */
  readonly nodes: Uint32Array
  readonly squaredNorms: Float64Array
  /** Of the lengths of all vectors of the segment. */
  readonly lengthSum: number
}

const CHUNK_BYTES = 2 ** 20

export function findLongest(kernel: Kernel, { vectors, dimensions, wanted }: LongestTask): LongestResult {
  const chunkRows = Math.min(vectors.count, Math.max(1, Math.floor(CHUNK_BYTES / (4 * dimensions))))
  const rows = kernel.alloc(4 * chunkRows * dimensions)
  const norms = kernel.alloc(8 * chunkRows)
  const squaredNorms = new Float64Array(vectors.count)
  const file = openRows(vectors, 4 * dimensions)
  try {
    for (let done = 0; done < vectors.count; done += chunkRows) {
      const count = Math.min(chunkRows, vectors.count - done)
      file.read(vectors.firstNode + done, kernel.u8(rows, 4 * count * dimensions))
      kernel.fn.prepareRows(rows, count, dimensions, 0, norms)
      squaredNorms.set(kernel.f64(norms, count), done)
    }
  } finally {
    file.close()
  }
  const places = longestFirst(squaredNorms, wanted)
  return {
    nodes: places.map((place) => vectors.firstNode + place),
    squaredNorms: Float64Array.from(places, (place) => squaredNorms[place]),
    lengthSum: squaredNorms.reduce((sum, squared) => sum + Math.sqrt(squared), 0),
  }
}

/** The places of the `wanted` largest numbers, largest first, ties by lower place. */
export function longestFirst(squaredNorms: Float64Array, wanted: number): Uint32Array {
  const least = squaredNorms.toSorted()[Math.max(0, squaredNorms.length - wanted)]
  const places: number[] = []
  squaredNorms.forEach((squared, place) => {
    if (squared >= least) places.push(place)
  })
  places.sort((a, b) => squaredNorms[b] - squaredNorms[a] || a - b)
  return Uint32Array.from(places.slice(0, wanted))
}

/** A chunk of vectors, and twice the squared norms of a segment. */
export function longestTaskBytes(sizes: BuildSizes): number {
  return CHUNK_BYTES + 4 * sizes.dimensions + 16 * segmentNodes(sizes)
}
