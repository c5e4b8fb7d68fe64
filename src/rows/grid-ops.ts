import type { Kernel } from '../../kernel/kernel.js'
import { MAX_GRID_SQUARED_NORM, type GridSpec } from './grid-spec.js'

/** The kernels of one kind of codes under one set of names. Pointers are bytes in the kernel's memory. */
export interface GridOps {
  readonly rowBytes: number
  /** Float rows (dimensions each) to code rows; returns how many were clamped. */
  encode(rows: number, count: number, mean: number, out: number): number
  norms(codes: number, count: number, out: number): void
  /** Adds to each norm: whatever is there makes its target seem that much farther. */
  addToNorms(norms: number, addends: Float64Array): void
  /** The one distance at an address, as a number. */
  distanceAt(at: number): number
  pack(codes: number, count: number, out: number): void
  /** out: distance words, `queryCount` rows of `stride`. */
  distances(
    query: { codes: number; norms: number; count: number },
    target: { panels: number; norms: number; count: number },
    out: number,
    stride: number,
  ): void
  nearest(row: number, count: number, k: number, outIndex: number, outDistance: number): number
  prune(rowPointers: number, distances: number, count: number, maxDegree: number, kept: number): number
}

/** α of the prune, on squared distances. On SIFT 100k recall@10 at ef 32 is .967 with it, .951 without. */
export const PRUNE_ALPHA = 1.2

export function gridOps(
  kernel: Kernel,
  spec: Pick<GridSpec, 'kind' | 'gridDims' | 'dimensions' | 'scale' | 'radiusSquared'>,
): GridOps {
  const { fn } = kernel
  const { gridDims, dimensions, scale, radiusSquared } = spec
  if (spec.kind === 'i16') {
    return {
      rowBytes: 2 * gridDims,
      encode: (rows, count, mean, out) =>
        fn.encodeI16(rows, count, dimensions, mean, scale, MAX_GRID_SQUARED_NORM, radiusSquared, gridDims, out),
      norms: (codes, count, out) => fn.normsI16(codes, count, gridDims, out),
      addToNorms: (norms, addends) => addends.forEach((addend, i) => (kernel.i32(norms + 4 * i, 1)[0] += addend)),
      distanceAt: (at) => kernel.i32(at, 1)[0],
      pack: (codes, count, out) => fn.packI16(codes, count, gridDims, out),
      distances: (q, t, out, stride) =>
        fn.distancesI16(q.codes, q.norms, q.count, t.panels, t.norms, t.count, gridDims, out, stride),
      nearest: (row, count, k, index, distance) => fn.nearestI32(row, count, k, index, distance),
      prune: (rows, distances, count, degree, kept) =>
        fn.pruneI16(rows, distances, count, gridDims, degree, PRUNE_ALPHA, kept),
    }
  }
  return {
    rowBytes: 4 * gridDims,
    encode: (rows, count, mean, out) => {
      fn.encodeF32(rows, count, dimensions, mean, radiusSquared, gridDims, out)
      return 0
    },
    norms: (codes, count, out) => fn.normsF32(codes, count, gridDims, out),
    addToNorms: (norms, addends) => addends.forEach((addend, i) => (kernel.f32(norms + 4 * i, 1)[0] += addend)),
    distanceAt: (at) => kernel.f32(at, 1)[0],
    pack: (codes, count, out) => fn.packF32(codes, count, gridDims, out),
    distances: (q, t, out, stride) =>
      fn.distancesF32(q.codes, q.norms, q.count, t.panels, t.norms, t.count, gridDims, out, stride),
    nearest: (row, count, k, index, distance) => fn.nearestF32(row, count, k, index, distance),
    prune: (rows, distances, count, degree, kept) =>
      fn.pruneF32(rows, distances, count, gridDims, degree, PRUNE_ALPHA, kept),
  }
}

/** Panels hold whole groups of four targets. */
export function panelRows(count: number): number {
  return Math.ceil(count / 4) * 4
}
