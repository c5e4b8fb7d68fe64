/** The kernels of one kind of codes under one set of names. Pointers are bytes in the kernel's memory. */

import type { Kernel } from '../../../kernel/kernel.js'
import type { Shard } from '../shard-engine.js'

export interface CodeKernel {
  readonly rowBytes: number
  norms(rows: number, count: number, out: number): void
  pack(rows: number, count: number, out: number): void
  distances(
    queries: { rows: number; norms: number; count: number },
    targets: { panels: number; norms: number; count: number },
    out: number,
    stride: number,
  ): void
}

export function codeKernel({ fn }: Kernel, { kind, gridDims }: Shard): CodeKernel {
  if (kind === 'i16') {
    return {
      rowBytes: 2 * gridDims,
      norms: (rows, count, out) => fn.normsI16(rows, count, gridDims, out),
      pack: (rows, count, out) => fn.packI16(rows, count, gridDims, out),
      distances: (q, t, out, stride) =>
        fn.distancesI16(q.rows, q.norms, q.count, t.panels, t.norms, t.count, gridDims, out, stride),
    }
  }
  return {
    rowBytes: 4 * gridDims,
    norms: (rows, count, out) => fn.normsF32(rows, count, gridDims, out),
    pack: (rows, count, out) => fn.packF32(rows, count, gridDims, out),
    distances: (q, t, out, stride) =>
      fn.distancesF32(q.rows, q.norms, q.count, t.panels, t.norms, t.count, gridDims, out, stride),
  }
}
