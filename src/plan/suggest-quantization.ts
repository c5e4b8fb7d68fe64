/** Which quantization lets searches stay in memory, before anything is built. Pure, but for the memory that is there. */
import { quantizedShape } from '../format/graph/quantized-shape.js'
import type { Metric } from '../api/vectors.js'
import type { Quantization } from '../api/report.js'
import { formatByteSize, parseByteSize } from '../memory/byte-size.js'
import { decideBudget, readMemoryFacts } from '../memory/memory-budget.js'
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

/** One quantization, with vectors as many and as long as were asked about. */
export interface QuantizationFit {
  readonly quantization: Quantization
  /** Bytes that are compared while a search walks: the vectors, or their codes. */
  readonly walkedBytes: number
  /** Bytes that a search wants in memory, so that it walks without reading: those, links, upper levels, ids, and its own. */
  readonly memoryBytes: number
  readonly fits: boolean
  /** How much lower than with f32 recall@10 may be at the same ef, of 1. */
  readonly recallLoss: number
}

export interface QuantizationSuggestion {
  /** The memory that this is about. */
  readonly memoryBytes: number
  /** The first that fits, of those that lose least; undefined when none does. */
  readonly suggestion: Quantization | undefined
  /** The same as a sentence, and what to do when none fits. */
  readonly message: string
  /** Those that the metric allows, exact ones first. */
  readonly quantizations: readonly QuantizationFit[]
}

/** What recall@10 loses at most against f32 at the same ef, the candidates scored again by the default `rerank`. */
const RECALL_LOSS: Readonly<Record<Quantization, number>> = { f32: 0, f16: 0.001, sq8: 0.01, pq: 0.03, binary: 0.05 }

/** Bytes of an average id, and of its place in the table of ids. */
const ID_BYTES = 16 + 4
/** What a kernel's memory holds of an index at most: src/search/core/plan-memory.ts. */
const KERNEL_LIMIT_BYTES = 2 ** 32 - 64 * 2 ** 20
/** Rows are held in pages of about so many bytes, with 5 bytes for each page. */
const PAGE_BYTES = 4096
const PAGE_ENTRY_BYTES = 5
/** Beam, scratch, and what lies between one allocation and the next. */
const SEARCH_BYTES = 64 * 1024

/**
 * What each quantization would take in memory when it is searched, and the first that fits, in the order f32, f16, sq8, pq,
 * binary (this one for cosine only). An index that does not fit can be searched all the same: pages come and go.
 * @throws InvalidOptionError on impossible numbers.
 */
export function suggestQuantization(options: SuggestQuantizationOptions): QuantizationSuggestion {
  const { memory, metric, ...shape } = checkOptions(suggestOptionsSchema, options)
  const memoryBytes =
    memory === undefined ? decideBudget(undefined, readMemoryFacts()).budgetBytes : parseByteSize(memory, 'memory')
  const quantizations = QUANTIZATIONS.filter((quantization) => quantization !== 'binary' || metric === 'cosine').map(
    (quantization): QuantizationFit => {
      const { walkedBytes, kernelBytes, idsBytes } = searchBytes(quantization, shape)
      const wanted = kernelBytes + idsBytes
      const fits = wanted <= memoryBytes && kernelBytes <= KERNEL_LIMIT_BYTES
      return { quantization, walkedBytes, memoryBytes: wanted, fits, recallLoss: RECALL_LOSS[quantization] }
    },
  )
  const chosen = quantizations.find(({ fits }) => fits)
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
): { walkedBytes: number; kernelBytes: number; idsBytes: number } {
  const vectorStride = 4 * dimensions
  const linkStride = 4 * (2 * m + 1)
  const pageOf = (strideBytes: number): { rows: number; bytes: number } => {
    const rows = 2 ** Math.max(0, Math.floor(Math.log2(PAGE_BYTES / strideBytes)))
    return { rows, bytes: rows * strideBytes }
  }
  const tableBytes = (strideBytes: number): number =>
    PAGE_ENTRY_BYTES * Math.ceil(count / pageOf(strideBytes).rows) + 2 * PAGE_BYTES
  const upperBytes = Math.ceil(count / m) * 4 * (m + 3)
  // A byte for each node and each place above, to know where a search has been.
  const seenBytes = count + Math.ceil((4 * count) / (3 * m))
  const links = count * linkStride + tableBytes(linkStride)
  const common = links + tableBytes(vectorStride) + upperBytes + seenBytes + vectorStride + SEARCH_BYTES
  const idsBytes = count * ID_BYTES
  if (quantization === 'f32') {
    const walkedBytes = count * vectorStride
    return { walkedBytes, kernelBytes: walkedBytes + common, idsBytes }
  }
  const { strideBytes, codebookBytes, preparedBytes } = quantizedShape(quantization, dimensions)
  const walkedBytes = count * strideBytes
  // Vectors are read to be scored again. There is room for the pages of one expansion, twice, of each kind.
  const leastBytes = (stride: number): number => 2 * (2 * m + 1) * pageOf(stride).bytes
  const rescored = Math.min(count * vectorStride, leastBytes(vectorStride))
  const codes = Math.max(walkedBytes, leastBytes(strideBytes)) + tableBytes(strideBytes) + codebookBytes + preparedBytes
  const kernelBytes = codes + rescored + common
  return { walkedBytes, kernelBytes, idsBytes }
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
    `${least.memoryBytes <= memoryBytes ? ', and one index holds 4 GiB in memory at most' : ''}; searches will read from ` +
    `disk as they go, or give more memory, a smaller m, or several indexes`
  )
}
