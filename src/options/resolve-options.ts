import os from 'node:os'
import path from 'node:path'
import { buildOptionsSchema } from './build-options.js'
import { checkOptions } from './check-options.js'
import { InvalidOptionError } from '../errors.js'
import { parseByteSize } from '../memory/byte-size.js'
import type { BuildOptions, Logger, ProgressEvent } from '../api/build.js'
import type { EngineName, Quality, Quantization } from '../api/report.js'
import type { Metric } from '../api/vectors.js'

/** Every option with its default filled in and its value checked. */
export interface ResolvedOptions {
  readonly path: string
  readonly metric: Metric
  readonly dimensions: number | undefined
  readonly count: number | undefined
  readonly m: number
  readonly quality: Quality | 'auto'
  readonly engine: EngineName
  readonly quantization: Quantization
  readonly memoryBytes: number | undefined
  readonly threads: number
  readonly tempDir: string | undefined
  readonly seed: number
  readonly duplicates: 'error' | 'first' | 'last'
  readonly invalid: 'error' | 'skip'
  readonly minRecall: number | undefined
  readonly keepGenerations: number
  readonly resume: boolean
  readonly sourceFingerprint: string | undefined
  readonly stallSeconds: number
  readonly queueBytes: number | undefined
  readonly signal: AbortSignal | undefined
  readonly onProgress: ((event: ProgressEvent) => void) | undefined
  readonly logger: Logger
}

const SILENT: Logger = { info: () => undefined, warn: () => undefined }

/** Throws InvalidOptionError, naming the option, what was expected and what was got. */
export function resolveOptions(given: BuildOptions): ResolvedOptions {
  const { memory, tempDir, queueBytes, threads, ...options } = checkOptions(buildOptionsSchema, given)
  return {
    ...options,
    path: path.resolve(options.path),
    dimensions: options.dimensions,
    count: options.count,
    quantization: checkedQuantization(options.metric, options.quantization),
    memoryBytes: memory === undefined ? undefined : parseByteSize(memory, 'memory'),
    threads: threads ?? os.availableParallelism(),
    tempDir: tempDir === undefined ? undefined : path.resolve(tempDir),
    minRecall: options.minRecall,
    sourceFingerprint: options.sourceFingerprint,
    queueBytes: queueBytes === undefined ? undefined : bytesOrZero(queueBytes),
    signal: options.signal,
    onProgress: options.onProgress,
    logger: options.logger ?? SILENT,
  }
}

/** One bit tells the side of a plane through the middle: what it says is an angle. */
function checkedQuantization(metric: Metric, quantization: Quantization): Quantization {
  if (quantization !== 'binary' || metric === 'cosine') return quantization
  throw new InvalidOptionError(
    `quantization 'binary' compares angles and needs metric 'cosine', got '${metric}'; choose metric 'cosine', or quantization 'pq'`,
  )
}

function bytesOrZero(size: number | string): number {
  return Number(size) === 0 ? 0 : parseByteSize(size, 'queueBytes')
}
