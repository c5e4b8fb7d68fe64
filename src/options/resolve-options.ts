import os from 'node:os'
import path from 'node:path'
import { buildOptionsSchema } from './build-options.js'
import { checkOptions } from './check-options.js'
import { InvalidOptionError } from '../errors.js'
import { parseByteSize } from '../memory/byte-size.js'
import type { BuildOptions, Logger } from '../api/build.js'
import { assertFields } from '../fields/schema.js'
import type { Quantization } from '../api/report.js'
import type { Metric } from '../api/vectors.js'

/** Every option of a build, checked, with its default, in the units that the build computes with. */
export type ResolvedOptions = Readonly<ReturnType<typeof resolveOptions>>

const SILENT: Logger = { info: () => undefined, warn: () => undefined }

/** @throws InvalidOptionError that names the option, what is allowed and what was given. */
export function resolveOptions(given: BuildOptions) {
  const { memory, tempDir, queueBytes, threads, ...options } = checkOptions(buildOptionsSchema, given)
  checkQuantization(options.metric, options.quantization)
  return {
    ...options,
    path: path.resolve(options.path),
    fields: options.fields === undefined ? undefined : assertFields(options.fields),
    memoryBytes: memory === undefined ? undefined : parseByteSize(memory, 'memory'),
    threads: threads ?? os.availableParallelism(),
    /** The caller gave `threads`: fewer are then worth an event, whatever the reason. */
    hasThreads: threads !== undefined,
    tempDir: tempDir === undefined ? undefined : path.resolve(tempDir),
    queueBytes: queueBytes === undefined ? undefined : bytesOrZero(queueBytes),
    onProgress: options.onProgress,
    logger: options.logger ?? SILENT,
  }
}

/** A bit tells the side of a plane through the origin, so that binary codes compare angles. @throws InvalidOptionError */
export function checkQuantization(metric: Metric, quantization: Quantization): void {
  if (quantization !== 'binary' || metric === 'cosine') return
  throw new InvalidOptionError(
    `quantization 'binary' compares angles and needs metric 'cosine', got '${metric}'; ` +
      `choose metric 'cosine', or quantization 'pq'`,
  )
}

function bytesOrZero(size: number | string): number {
  return Number(size) === 0 ? 0 : parseByteSize(size, 'queueBytes')
}
