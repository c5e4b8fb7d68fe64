/** What kernel/assembly/search reads: its blocks of u32 words (some of them f32), and the sizes it relies on. */
import type { Kernel } from '../../../kernel/kernel.js'
import type { CodeQuantization } from '../../format/graph/quantized-shape.js'
import type { Metric } from '../../api/vectors.js'

/** SearchContext of the kernel, in order. */
export const CONTEXT_FIELDS = [
  'count',
  'dimensions',
  'metric',
  'walked',
  'exact',
  'links',
  'levelCount',
  'levels',
  'upperStride',
  'entry',
  'visited',
  'epoch',
  'upperVisited',
  'upperEpoch',
  'upperCount',
  'query',
  'codebook',
  'prepared',
  'preparedScale',
  'preparedBias',
  'beam',
  'ids',
  'distances',
  'addresses',
  'computed',
  'copies',
] as const
export type ContextField = (typeof CONTEXT_FIELDS)[number]
export const CONTEXT_BYTES = 4 * CONTEXT_FIELDS.length

/** RowTable of the kernel, in order. */
const TABLE_FIELDS = ['rows', 'stride', 'encoding', 'kind', 'paged', 'pages', 'used', 'shift', 'loose', 'far'] as const
export type TableField = (typeof TABLE_FIELDS)[number]
export const TABLE_BYTES = 4 * TABLE_FIELDS.length

/** `kind` of a table: which rows the kernel names when it asks for a page. */
export const WALKED_ROWS = 0
export const LINK_ROWS = 1
export const EXACT_ROWS = 2

/** Of every block and array. */
export const ALIGN_BYTES = 64
/** A place of the beam, and one for a copy beside it. */
export const BEAM_SLOT_BYTES = 16
/** Beam width on levels ≥ 1, as in kernel/assembly/search/search.ts. */
export const UPPER_EF = 8
/** The kernel pads a row of links by a group of four. */
const SCRATCH_PADDING = 4

/** Never fewer than the beam on levels ≥ 1 takes. */
export function beamSlots(ef: number, count: number): number {
  return Math.max(UPPER_EF, Math.min(ef, count))
}

/** Bytes of each scratch array: `ids`, `distances`, `addresses`. */
export function scratchBytes(m: number): number {
  return 4 * (2 * m + SCRATCH_PADDING)
}

const METRIC_NUMBERS: Readonly<Record<Metric, number>> = { l2: 0, cosine: 1, ip: 2 }

export function metricNumber(metric: Metric): number {
  return METRIC_NUMBERS[metric]
}

/** Distances are squared l2, or bias − dot. */
export function distanceBias(metric: Metric): number {
  return metric === 'cosine' ? 1 : 0
}

/** How the kernel computes distances to rows of this kind. */
export function encodingNumber(quantization: CodeQuantization | 'f32', metric: Metric): number {
  const dot = metric === 'l2' ? 0 : 1
  return { f32: dot, f16: 2 + dot, sq8: 4, pq: 5, binary: 6 }[quantization]
}

export function setContext(kernel: Kernel, context: number, values: Partial<Record<ContextField, number>>): void {
  setWords(kernel.u32(context, CONTEXT_FIELDS.length), CONTEXT_FIELDS, values)
}

export function contextWord(kernel: Kernel, context: number, field: ContextField): number {
  return kernel.u32(context, CONTEXT_FIELDS.length)[CONTEXT_FIELDS.indexOf(field)]
}

export function setTable(kernel: Kernel, table: number, values: Partial<Record<TableField, number>>): void {
  setWords(kernel.u32(table, TABLE_FIELDS.length), TABLE_FIELDS, values)
}

function setWords<Field extends string>(
  words: Uint32Array,
  fields: readonly Field[],
  values: Partial<Record<Field, number>>,
): void {
  for (const [at, field] of fields.entries()) {
    const value = values[field]
    if (value !== undefined) words[at] = value
  }
}
