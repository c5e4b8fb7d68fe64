/**
 * Every way Shardloom fails, one class per kind, each with a stable `code` to switch on. The message carries the
 * numbers and the fix. Downward-only imports: this file imports nothing.
 */

/** Base of all errors thrown on purpose. `exitCode` is what the command line ends with. */
export class ShardloomError extends Error {
  readonly code: string
  readonly exitCode: number

  constructor(code: string, message: string, options: { cause?: unknown; exitCode?: number } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.exitCode = options.exitCode ?? 1
  }
}

const BAD_INPUT = 2
const NO_RESOURCES = 3
const CORRUPT = 4
const INTERRUPTED = 130

/** An option, flag or argument has a value that cannot be used. */
export class InvalidOptionError extends ShardloomError {
  constructor(message: string, cause?: unknown) {
    super('SHARDLOOM_INVALID_OPTION', message, { cause, exitCode: BAD_INPUT })
  }
}

/** A vector's length differs from the index's dimensions. */
export class DimensionMismatchError extends ShardloomError {
  constructor(
    readonly details: { ordinal: number; id?: string | number; expected: number; got: number; what?: string },
  ) {
    const { ordinal, id, expected, got, what = 'vector' } = details
    const named = id === undefined ? '' : ` (id ${JSON.stringify(id)})`
    super('SHARDLOOM_DIMENSION_MISMATCH', `${what} ${ordinal}${named} has ${got} dimensions, expected ${expected}`, {
      exitCode: BAD_INPUT,
    })
  }
}

/** NaN, ±Infinity, or a zero vector under cosine. */
export class InvalidVectorError extends ShardloomError {
  constructor(
    readonly details: {
      ordinal: number
      id?: string | number
      reason: string
      invalidOption?: boolean
      what?: string
    },
  ) {
    const { ordinal, id, reason, invalidOption = true, what = 'vector' } = details
    const named = id === undefined ? '' : ` (id ${JSON.stringify(id)})`
    const fix = invalidOption
      ? `; fix the source, or pass invalid: 'skip' (--invalid skip) to leave such vectors out`
      : ''
    super('SHARDLOOM_INVALID_VECTOR', `${what} ${ordinal}${named} ${reason}${fix}`, { exitCode: BAD_INPUT })
  }
}

/** An id that is neither a string nor a safe integer, or is missing where others are given. */
export class InvalidIdError extends ShardloomError {
  constructor(message: string) {
    super('SHARDLOOM_INVALID_ID', message, { exitCode: BAD_INPUT })
  }
}

/** The same id twice in one stream, under `duplicates: 'error'`. */
export class DuplicateIdError extends ShardloomError {
  constructor(
    readonly details: {
      id: string | number
      firstOrdinal: number
      secondOrdinal: number
      count: number
      help?: string
    },
  ) {
    const { id, firstOrdinal, secondOrdinal, count } = details
    const { help = "make ids unique, or pass duplicates: 'first' or 'last' (--duplicates first|last)" } = details
    const more = count > 1 ? ` (${count} repeated ids in all)` : ''
    super(
      'SHARDLOOM_DUPLICATE_ID',
      `id ${JSON.stringify(id)} is given twice: vectors ${firstOrdinal} and ${secondOrdinal}${more}; ${help}`,
      { exitCode: BAD_INPUT },
    )
  }
}

/** The source ended without a single usable vector. */
export class EmptySourceError extends ShardloomError {
  constructor(skipped = 0) {
    const why =
      skipped > 0 ? `all ${skipped} vectors of the source were skipped as invalid` : 'the source gave no vectors'
    super('SHARDLOOM_EMPTY_SOURCE', `${why}; nothing was built and the live generation is unchanged`, {
      exitCode: BAD_INPUT,
    })
  }
}

/** The source iterable threw; its error is the `cause`. */
export class SourceError extends ShardloomError {
  constructor(ordinal: number, cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super('SHARDLOOM_SOURCE_FAILED', `the source failed after ${ordinal} vectors: ${reason}`, {
      cause,
      exitCode: cause instanceof ShardloomError ? cause.exitCode : 1,
    })
  }
}

/** A vector, id or query file that is not what its format says: truncated, inconsistent, unknown. */
export class InvalidFileError extends ShardloomError {
  constructor(
    readonly path: string,
    reason: string,
    options: { offset?: number; cause?: unknown } = {},
  ) {
    const at = options.offset === undefined ? '' : ` at byte ${options.offset}`
    super('SHARDLOOM_INVALID_FILE', `${path}${at}: ${reason}`, { cause: options.cause, exitCode: BAD_INPUT })
  }
}

/** An input or an index that is not there or cannot be opened, or an output folder that cannot be written. */
export class PathError extends ShardloomError {
  constructor(
    readonly path: string,
    reason: string,
    cause?: unknown,
  ) {
    super('SHARDLOOM_PATH', `${path}: ${reason}`, { cause, exitCode: BAD_INPUT })
  }
}

/** A format is read by a package that is installed only where it is needed. */
export class MissingPackageError extends ShardloomError {
  constructor(path: string, format: string, name: string, cause?: unknown) {
    super('SHARDLOOM_MISSING_PACKAGE', `${path}: ${format} is read by the package ${name}; npm install ${name}`, {
      cause,
      exitCode: BAD_INPUT,
    })
  }
}

/** The plan does not fit the memory that is there. Thrown before any work is done. */
export class InsufficientMemoryError extends ShardloomError {
  constructor(readonly details: { neededBytes: number; availableBytes: number; stage: string; help: string }) {
    const { neededBytes, availableBytes, stage, help } = details
    const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
    super(
      'SHARDLOOM_INSUFFICIENT_MEMORY',
      `stage ${stage} needs ${mb(neededBytes)} (${neededBytes} bytes) and ${mb(availableBytes)} ` +
        `(${availableBytes} bytes) are available; ${help}`,
      { exitCode: NO_RESOURCES },
    )
  }
}

/** A write met ENOSPC. Nothing already published is touched. */
export class DiskFullError extends ShardloomError {
  constructor(
    readonly details: { path: string; neededBytes: number; freeBytes: number | undefined },
    cause?: unknown,
  ) {
    const { path, neededBytes, freeBytes } = details
    super(
      'SHARDLOOM_DISK_FULL',
      `${path}: the disk is full: ${neededBytes} bytes to write, ${freeBytes ?? 'an unknown number of'} bytes free; ` +
        `free space, or point tempDir (--temp-dir) at a larger disk`,
      { cause, exitCode: NO_RESOURCES },
    )
  }
}

/** A spill file is damaged before its tail. */
export class CorruptSpillError extends ShardloomError {
  constructor(
    readonly path: string,
    readonly offset: number,
    reason: string,
  ) {
    super('SHARDLOOM_CORRUPT_SPILL', `${path} at byte ${offset}: ${reason}; build again`, { exitCode: CORRUPT })
  }
}

/** A byte of the index is not what its checksum says, or a file is missing, short or of another build. */
export class CorruptIndexError extends ShardloomError {
  readonly offset: number | undefined

  constructor(
    readonly path: string,
    readonly reason: string,
    options: { offset?: number; cause?: unknown } = {},
  ) {
    const at = options.offset === undefined ? '' : ` at byte ${options.offset}`
    super('SHARDLOOM_CORRUPT_INDEX', `${path}${at}: ${reason}; rebuild the index or restore it from a copy`, {
      cause: options.cause,
      exitCode: CORRUPT,
    })
    this.offset = options.offset
  }
}

/** Another build holds the index directory. */
export class IndexLockedError extends ShardloomError {
  constructor(
    readonly path: string,
    holder: { pid: number; host: string; since: string },
  ) {
    super(
      'SHARDLOOM_INDEX_LOCKED',
      `${path} is being built by process ${holder.pid} on ${holder.host} since ${holder.since}; wait for it, or end it`,
    )
  }
}

/** A worker died or threw on the same task twice. */
export class WorkerFailedError extends ShardloomError {
  constructor(
    readonly task: string,
    cause: unknown,
  ) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    super('SHARDLOOM_WORKER_FAILED', `task ${task} failed twice, the second time on a fresh worker: ${reason}`, {
      cause,
    })
  }
}

/** Nothing moved for `stallSeconds`. */
export class StalledError extends ShardloomError {
  constructor(readonly details: { stage: string; doing: string; stallSeconds: number; rssBytes: number }) {
    const { stage, doing, stallSeconds, rssBytes } = details
    super(
      'SHARDLOOM_STALLED',
      `no progress for ${stallSeconds} s in stage ${stage} (${doing}); RSS ${(rssBytes / 1e6).toFixed(0)} MB`,
    )
  }
}

/** An engine met something it cannot work with (a wrong package version, a layout that does not match). */
export class EngineError extends ShardloomError {
  constructor(
    readonly engine: string,
    reason: string,
    cause?: unknown,
  ) {
    super('SHARDLOOM_ENGINE', `engine ${engine}: ${reason}`, { cause })
  }
}

/** The proof found the index worse than the caller allows; nothing was published. */
export class RecallTooLowError extends ShardloomError {
  constructor(readonly details: { recallAt10: number; minRecall: number }) {
    const { recallAt10, minRecall } = details
    super(
      'SHARDLOOM_RECALL_TOO_LOW',
      `recall@10 is ${recallAt10.toFixed(4)}, below minRecall ${minRecall}; not published, the live generation is ` +
        `unchanged; try a larger m, or quality 'high'`,
    )
  }
}

/** The caller's AbortSignal fired, or SIGINT/SIGTERM came. */
export class AbortedError extends ShardloomError {
  constructor(cause?: unknown, message = 'the build was interrupted; the live generation is unchanged') {
    super('SHARDLOOM_ABORTED', message, {
      cause,
      exitCode: INTERRUPTED,
    })
  }
}

/** A method was called on an index that is closed. */
export class IndexClosedError extends ShardloomError {
  constructor(path: string) {
    super('SHARDLOOM_INDEX_CLOSED', `the index ${path} is closed`)
  }
}
