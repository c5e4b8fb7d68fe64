import type { Kernel } from '../../../kernel/kernel.js'
import { MAX_CODE_SQUARED_NORM, type CodeSpec } from '../code-spec.js'

/** The kernels of one kind of codes under one set of names. Pointers are bytes in the kernel's memory. */
export interface CodeOps {
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

/** α of the prune, on squared distances. Measured in DESIGN 6.3: .967 at ef 32 against .951 without. */
export const PRUNE_ALPHA = 1.2

export function codeOps(
  kernel: Kernel,
  spec: Pick<CodeSpec, 'kind' | 'codeDims' | 'dimensions' | 'scale' | 'radiusSquared'>,
): CodeOps {
  const { fn } = kernel
  const { codeDims, dimensions, scale, radiusSquared } = spec
  if (spec.kind === 'i16') {
    return {
      rowBytes: 2 * codeDims,
      encode: (rows, count, mean, out) =>
        fn.encodeI16(rows, count, dimensions, mean, scale, MAX_CODE_SQUARED_NORM, radiusSquared, codeDims, out),
      norms: (codes, count, out) => fn.normsI16(codes, count, codeDims, out),
      addToNorms: (norms, addends) => addends.forEach((addend, i) => (kernel.i32(norms + 4 * i, 1)[0] += addend)),
      distanceAt: (at) => kernel.i32(at, 1)[0],
      pack: (codes, count, out) => fn.packI16(codes, count, codeDims, out),
      distances: (q, t, out, stride) =>
        fn.distancesI16(q.codes, q.norms, q.count, t.panels, t.norms, t.count, codeDims, out, stride),
      nearest: (row, count, k, index, distance) => fn.nearestI32(row, count, k, index, distance),
      prune: (rows, distances, count, degree, kept) =>
        fn.pruneI16(rows, distances, count, codeDims, degree, PRUNE_ALPHA, kept),
    }
  }
  return {
    rowBytes: 4 * codeDims,
    encode: (rows, count, mean, out) => {
      fn.encodeF32(rows, count, dimensions, mean, radiusSquared, codeDims, out)
      return 0
    },
    norms: (codes, count, out) => fn.normsF32(codes, count, codeDims, out),
    addToNorms: (norms, addends) => addends.forEach((addend, i) => (kernel.f32(norms + 4 * i, 1)[0] += addend)),
    distanceAt: (at) => kernel.f32(at, 1)[0],
    pack: (codes, count, out) => fn.packF32(codes, count, codeDims, out),
    distances: (q, t, out, stride) =>
      fn.distancesF32(q.codes, q.norms, q.count, t.panels, t.norms, t.count, codeDims, out, stride),
    nearest: (row, count, k, index, distance) => fn.nearestF32(row, count, k, index, distance),
    prune: (rows, distances, count, degree, kept) =>
      fn.pruneF32(rows, distances, count, codeDims, degree, PRUNE_ALPHA, kept),
  }
}

/** Panels hold whole groups of four targets. */
export function panelRows(count: number): number {
  return Math.ceil(count / 4) * 4
}
