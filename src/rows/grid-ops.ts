import { placeBlock } from '../../kernel/block.js'
import { GRID_ENCODER } from '../../kernel/blocks.js'
import type { Kernel } from '../../kernel/kernel.js'
import { typedOps, type TypedOps } from '../../kernel/typed-ops.js'
import { MAX_GRID_SQUARED_NORM, type GridSpec } from './grid-spec.js'

/** The kernel's functions on the rows of one grid. Addresses are bytes in the kernel's memory. */
export interface GridOps extends TypedOps {
  /** Adds to the norms at an address, which makes each target seem farther by its addend. */
  addToNorms(norms: number, addends: Float64Array): void
  /** Norms or distances at an address, as numbers; valid until the kernel's memory grows. */
  distancesAt(at: number, count: number): Int32Array | Float32Array
}

export function gridOps(kernel: Kernel, { kind, gridDims }: Pick<GridSpec, 'kind' | 'gridDims'>): GridOps {
  const view = (at: number, count: number): Int32Array | Float32Array =>
    kind === 'i16' ? kernel.i32(at, count) : kernel.f32(at, count)
  return {
    ...typedOps(kernel, kind, gridDims),
    addToNorms: (norms, addends) => {
      const values = view(norms, addends.length)
      addends.forEach((addend, i) => (values[i] += addend))
    },
    distancesAt: view,
  }
}

/** Encodes `count` float rows (`dimensions` each) as grid rows. Returns how many were clamped. */
export type EncodeRows = (rows: number, count: number, out: number) => number

/** Takes `4 * gridDims` bytes of kernel memory and a block, until the caller releases its mark. */
export function gridEncoder(kernel: Kernel, spec: GridSpec): EncodeRows {
  const { kind, dimensions, gridDims, scale, radiusSquared } = spec
  const mean = kernel.alloc(4 * gridDims)
  kernel.f32(mean, gridDims).set(spec.mean)
  const encoder = placeBlock(kernel, GRID_ENCODER, {
    scale,
    maxSquaredNorm: MAX_GRID_SQUARED_NORM,
    radiusSquared,
    mean,
    dimensions,
    gridDims,
  })
  const { fn } = kernel
  if (kind === 'i16') return (rows, count, out) => fn.encodeI16(encoder, rows, count, out)
  return (rows, count, out) => {
    fn.encodeF32(encoder, rows, count, out)
    return 0
  }
}
