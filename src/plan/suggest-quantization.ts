/**
 * Suggests a quantization with which searches stay in memory, before anything is built. Pure, except that it reads the
 * available memory.
 */
import { quantizedShape } from '../format/graph/quantized-shape.js'
import type { Metric } from '../api/vectors.js'
import type { Quantization } from '../api/report.js'
import { formatByteSize, parseByteSize } from '../memory/byte-size.js'
import { decideBudget, readMemoryFacts } from '../memory/memory-budget.js'
import { LEAST_BINARY_DIMENSIONS } from '../options/limits.js'
import { checkOptions } from '../options/check-options.js'
import { suggestOptionsSchema } from '../options/estimate-options.js'
import { QUANTIZATIONS } from '../api/report.js'

export interface SuggestQuantizationOptions {
  // <generated options-suggest>
  /** Number of vectors. */
  readonly count: number
  /** Length of every vector, 1 to 65,536. */
  readonly dimensions: number
  /** The `memory` that `openIndex` will be given: bytes, or text such as '512MB'. Default: the free memory. */
  readonly memory?: number | string
  /** 'l2': squared Euclidean; 'cosine': 1 − cos; 'ip': −(inner product). Smaller is nearer in each. Default 'l2'. */
  readonly metric?: Metric
  /** Links per node on levels above 0, 4 to 64; level 0 holds up to 2m. Default 16. */
  readonly m?: number
  // </generated>
}

/** One quantization, for vectors of the given count and dimensions. */
export interface QuantizationFit {
  readonly quantization: Quantization
  /** Bytes that a search compares: the vectors, or their codes. */
  readonly walkedBytes: number
  /**
   * Bytes of memory with which a search reads no files: `walkedBytes`, links, upper levels, ids, and its own memory.
   */
  readonly memoryBytes: number
  readonly fits: boolean
  /** How much lower recall@10 may be than with f32 at the same ef, as a fraction of 1. */
  readonly recallLoss: number
}

export interface QuantizationSuggestion {
  /** The memory that the suggestion is for. */
  readonly memoryBytes: number
  /** The first quantization that fits, of those that lose least; undefined when none fits. */
  readonly suggestion: Quantization | undefined
  /** The suggestion as a sentence, and what to do when none fits. */
  readonly message: string
  /** The quantizations that the metric allows, exact ones first. */
  readonly quantizations: readonly QuantizationFit[]
}

/** The most that recall@10 loses against f32 at the same ef, when the default `rerank` scores the candidates again. */
const RECALL_LOSS: Readonly<Record<Quantization, number>> = { f32: 0, f16: 0.001, sq8: 0.01, pq: 0.03, binary: 0.05 }

/** Bytes of an average id, and of its place in the id table. */
const ID_BYTES = 16 + 4
/** The most that one kernel memory can contain; links must be in one: src/search/core/plan-memory.ts. */
const KERNEL_LIMIT_BYTES = 2 ** 32 - 64 * 2 ** 20
/** Rows are held in pages of about this many bytes, with 5 bytes for each page. */
const PAGE_BYTES = 4096
const PAGE_ENTRY_BYTES = 5
/** Of a memory that has rows alone. */
const FAR_MEMORY_BYTES = 128 * 1024
/** Beam, scratch, and gaps between allocations. */
const SEARCH_BYTES = 64 * 1024

/**
 * Computes the memory that searches would need with each quantization, and the first one that fits, in the order f32,
 * f16, sq8, pq, binary (for cosine only, and only suggested from 256 dimensions on). An index that does not fit can
 * still be searched: pages are read and evicted as needed.
 * @throws InvalidOptionError on impossible numbers.
 */
export function suggestQuantization(options: SuggestQuantizationOptions): QuantizationSuggestion {
  const { memory, metric, ...shape } = checkOptions(suggestOptionsSchema, options)
  const memoryBytes =
    memory === undefined ? decideBudget(undefined, readMemoryFacts()).budgetBytes : parseByteSize(memory, 'memory')
  const quantizations = QUANTIZATIONS.filter((quantization) => quantization !== 'binary' || metric === 'cosine').map(
    (quantization): QuantizationFit => {
      const { walkedBytes, nearBytes, rowBytes, idsBytes } = searchBytes(quantization, shape)
      const oneBytes = nearBytes + rowBytes
      const wanted = idsBytes + (oneBytes <= KERNEL_LIMIT_BYTES ? oneBytes : oneBytes + farBytes(rowBytes, shape))
      const fits = wanted <= memoryBytes && nearBytes <= KERNEL_LIMIT_BYTES
      return { quantization, walkedBytes, memoryBytes: wanted, fits, recallLoss: RECALL_LOSS[quantization] }
    },
  )
  // Of a few bits little can be found.
  const suits = ({ quantization }: QuantizationFit): boolean =>
    quantization !== 'binary' || shape.dimensions >= LEAST_BINARY_DIMENSIONS
  const chosen = quantizations.find((fit) => fit.fits && suits(fit))
  return {
    memoryBytes,
    suggestion: chosen?.quantization,
    message: messageOf(chosen, quantizations, memoryBytes),
    quantizations,
  }
}

/** @deprecated The old name of `suggestQuantization`, accepted until the next release. */
export const suggestStorage = suggestQuantization

function searchBytes(
  quantization: Quantization,
  { count, dimensions, m }: { count: number; dimensions: number; m: number },
): { walkedBytes: number; nearBytes: number; rowBytes: number; idsBytes: number } {
  const vectorStride = 4 * dimensions
  const linkStride = 4 * (2 * m + 1)
  const pageOf = (strideBytes: number): { rows: number; bytes: number } => {
    const rows = 2 ** Math.max(0, Math.floor(Math.log2(PAGE_BYTES / strideBytes)))
    return { rows, bytes: rows * strideBytes }
  }
  const tableBytes = (strideBytes: number): number =>
    PAGE_ENTRY_BYTES * Math.ceil(count / pageOf(strideBytes).rows) + 2 * PAGE_BYTES
  const upperBytes = Math.ceil(count / m) * 4 * (m + 3)
  // One byte for each node and each place above, to mark what a search has visited.
  const seenBytes = count + Math.ceil((4 * count) / (3 * m))
  const links = count * linkStride + tableBytes(linkStride)
  // Vectors and quantized vectors may be in other memories.
  const nearBytes = links + tableBytes(vectorStride) + upperBytes + seenBytes + vectorStride + SEARCH_BYTES
  const idsBytes = count * ID_BYTES
  if (quantization === 'f32') {
    const walkedBytes = count * vectorStride
    return { walkedBytes, nearBytes, rowBytes: walkedBytes, idsBytes }
  }
  const { strideBytes, codebookBytes, preparedBytes } = quantizedShape(quantization, dimensions)
  const walkedBytes = count * strideBytes
  // Vectors are read to score candidates again. Each kind of row has room for twice the pages of one expansion.
  const leastBytes = (stride: number): number => 2 * (2 * m + 1) * pageOf(stride).bytes
  const rescored = Math.min(count * vectorStride, leastBytes(vectorStride))
  const codes = Math.max(walkedBytes, leastBytes(strideBytes)) + tableBytes(strideBytes) + codebookBytes + preparedBytes
  return { walkedBytes, nearBytes, rowBytes: codes + rescored, idsBytes }
}

/** What memories of rows take besides them: in each a query, plain and prepared. One memory of each kind is part-filled. */
function farBytes(rowBytes: number, { dimensions, m }: { dimensions: number; m: number }): number {
  const memories = 2 + Math.ceil(rowBytes / KERNEL_LIMIT_BYTES)
  const preparedBytes = quantizedShape('pq', dimensions).preparedBytes
  return memories * (FAR_MEMORY_BYTES + 2 * (4 * dimensions + preparedBytes + 24 * (m + 2)))
}

function messageOf(
  chosen: QuantizationFit | undefined,
  quantizations: readonly QuantizationFit[],
  memoryBytes: number,
): string {
  if (chosen !== undefined) {
    const { quantization, recallLoss } = chosen
    const loss = recallLoss === 0 ? 'exact distances' : `recall@10 up to ${recallLoss} below that of f32`
    return `${quantization}: ${formatByteSize(chosen.memoryBytes)} of ${formatByteSize(memoryBytes)}, ${loss}`
  }
  const least = quantizations.reduce((best, next) => (next.memoryBytes < best.memoryBytes ? next : best))
  return (
    `none fits ${formatByteSize(memoryBytes)}: the smallest, ${least.quantization}, wants ${formatByteSize(least.memoryBytes)}` +
    `${least.memoryBytes <= memoryBytes ? ', and all links must fit in 4 GiB' : ''}; searches will read from ` +
    `disk as they go, or give more memory, a smaller m, or several indexes`
  )
}
