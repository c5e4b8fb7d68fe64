import os from 'node:os'
import path from 'node:path'
import type { Logger } from '../../api/build.js'
import type { WorkerOptions } from '../../api/worker.js'
import { parseByteSize } from '../../memory/byte-size.js'
import { checkOptions } from '../check-options.js'
import { workerOptionsSchema } from './worker-options.js'

/** Every option of a worker, checked, in the units that it computes with. */
export interface ResolvedWorkerOptions {
  readonly connection: Required<WorkerOptions>['connection']
  /** Absolute. */
  readonly sharedDir: string
  /** Undefined: the free memory. */
  readonly memoryBytes: number | undefined
  readonly threads: number
  readonly graceSeconds: number
  /** Undefined: it ends by its signal alone. */
  readonly untilIdleSeconds: number | undefined
  readonly signal: AbortSignal | undefined
  readonly logger: Logger
}

const SILENT: Logger = { info: () => undefined, warn: () => undefined }

/** @throws InvalidOptionError that names the option, what is allowed and what was given. */
export function resolveWorkerOptions(given: WorkerOptions): ResolvedWorkerOptions {
  const options = checkOptions(workerOptionsSchema, given)
  const { connection, memory, threads, graceSeconds, untilIdleSeconds, signal, logger } = options
  return {
    connection,
    sharedDir: path.resolve(options.sharedDir),
    memoryBytes: memory === undefined ? undefined : parseByteSize(memory, 'memory'),
    threads: threads ?? os.availableParallelism(),
    graceSeconds,
    untilIdleSeconds,
    signal,
    logger: logger ?? SILENT,
  }
}
