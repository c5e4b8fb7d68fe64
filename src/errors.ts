/**
 * Every way Shardloom fails: one class each, with a stable `code` to switch on and a `kind`. The message has the
 * numbers and the fix. This file imports nothing.
 */

/**
 * What an error calls for. input: another input, option or path. resources: more memory, disk or addresses. corrupt: a
 * rebuild or a copy. interrupted: nothing, the caller asked for it. failed: a look at the message.
 */
export type ErrorKind = 'input' | 'resources' | 'corrupt' | 'interrupted' | 'failed'

/** What the command line ends with, by the kind of the error. */
export const EXIT_CODES: Readonly<Record<ErrorKind, number>> = {
  failed: 1,
  input: 2,
  resources: 3,
  corrupt: 4,
  interrupted: 130,
}

/** What anything thrown says. Asked for its message, not for its class: it may be of another realm. */
function messageOf(thrown: unknown): string {
  const hasMessage = typeof thrown === 'object' && thrown !== null && 'message' in thrown
  return hasMessage && typeof thrown.message === 'string' ? thrown.message : String(thrown)
}

/** Base class of all errors that Shardloom throws on purpose. */
export class ShardloomError extends Error {
  readonly code: string
  readonly kind: ErrorKind

  constructor(code: string, message: string, options: { cause?: unknown; kind?: ErrorKind } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.kind = options.kind ?? 'failed'
  }

  /** What the command line ends with. */
  get exitCode(): number {
    return EXIT_CODES[this.kind]
  }
}

/** An option, flag or argument has a value that cannot be used. */
export class InvalidOptionError extends ShardloomError {
  constructor(message: string, cause?: unknown) {
    super('SHARDLOOM_INVALID_OPTION', message, { cause, kind: 'input' })
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
      kind: 'input',
    })
  }
}

/** A vector with NaN or ±Infinity, or a zero vector under cosine. */
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
    super('SHARDLOOM_INVALID_VECTOR', `${what} ${ordinal}${named} ${reason}${fix}`, { kind: 'input' })
  }
}

/** The fields of a record break the schema: a value of another kind, an unknown name, or too many bytes. */
export class InvalidFieldError extends ShardloomError {
  constructor(
    readonly details: {
      ordinal: number
      id?: string | number
      /** Undefined: the reason is of all fields together. */
      field?: string
      reason: string
      invalidOption?: boolean
      what?: string
    },
  ) {
    const { ordinal, id, field, reason, invalidOption = true, what = 'record' } = details
    const named = id === undefined ? '' : ` (id ${JSON.stringify(id)})`
    const whose = field === undefined ? '' : ` field ${JSON.stringify(field)}`
    const fix = invalidOption
      ? `; fix the source, or pass invalid: 'skip' (--invalid skip) to leave such records out`
      : ''
    super('SHARDLOOM_INVALID_FIELD', `${what} ${ordinal}${named}:${whose} ${reason}${fix}`, { kind: 'input' })
  }
}

/** An id is neither a string nor a safe integer, or is missing while other vectors have one. */
export class InvalidIdError extends ShardloomError {
  constructor(message: string) {
    super('SHARDLOOM_INVALID_ID', message, { kind: 'input' })
  }
}

/** A stream has an id twice, under `duplicates: 'error'`. */
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
    const { help = "make ids unique, or pass duplicates: 'first', 'last' or 'keep' (--duplicates first|last|keep)" } =
      details
    const more = count > 1 ? ` (${count} repeated ids in all)` : ''
    super(
      'SHARDLOOM_DUPLICATE_ID',
      `id ${JSON.stringify(id)} is given twice: vectors ${firstOrdinal} and ${secondOrdinal}${more}; ${help}`,
      { kind: 'input' },
    )
  }
}

/** The source ended without a single usable vector. */
export class EmptySourceError extends ShardloomError {
  constructor(skipped = 0) {
    const why =
      skipped > 0 ? `all ${skipped} vectors of the source were skipped as invalid` : 'the source gave no vectors'
    super('SHARDLOOM_EMPTY_SOURCE', `${why}; nothing was built and the live generation is unchanged`, {
      kind: 'input',
    })
  }
}

/** The source iterable threw; its error is the `cause`. */
export class SourceError extends ShardloomError {
  constructor(ordinal: number, cause: unknown) {
    const reason = messageOf(cause)
    super('SHARDLOOM_SOURCE_FAILED', `the source failed after ${ordinal} vectors: ${reason}`, {
      cause,
      kind: cause instanceof ShardloomError ? cause.kind : 'failed',
    })
  }
}

/** A file of vectors, ids or queries breaks its format: it is truncated, inconsistent or of an unknown format. */
export class InvalidFileError extends ShardloomError {
  constructor(
    readonly path: string,
    reason: string,
    options: { offset?: number; cause?: unknown } = {},
  ) {
    const at = options.offset === undefined ? '' : ` at byte ${options.offset}`
    super('SHARDLOOM_INVALID_FILE', `${path}${at}: ${reason}`, { cause: options.cause, kind: 'input' })
  }
}

/** An input or index does not exist or cannot be opened, or an output folder cannot be written. */
export class PathError extends ShardloomError {
  constructor(
    readonly path: string,
    reason: string,
    cause?: unknown,
  ) {
    super('SHARDLOOM_PATH', `${path}: ${reason}`, { cause, kind: 'input' })
  }
}

/** Optional packages that were asked for are not installed: they are peers. */
export class MissingPackageError extends ShardloomError {
  constructor(what: string, names: readonly string[], cause?: unknown) {
    super(
      'SHARDLOOM_MISSING_PACKAGE',
      `${what} needs the ${names.length === 1 ? 'package' : 'packages'} ${names.join(' and ')}: npm install ${names.join(' ')}`,
      { cause, kind: 'input' },
    )
  }
}

/** Redis, or what the hosts of a build share, cannot be used. kind: 'input' when the work begins, 'failed' later. */
export class ClusterError extends ShardloomError {
  constructor(message: string, options: { kind?: ErrorKind; cause?: unknown } = {}) {
    super('SHARDLOOM_CLUSTER', message, options)
  }
}

/** The plan does not fit the available memory. Thrown before any work is done. */
export class InsufficientMemoryError extends ShardloomError {
  constructor(readonly details: { neededBytes: number; availableBytes: number; stage: string; help: string }) {
    const { neededBytes, availableBytes, stage, help } = details
    const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(0)} MB`
    super(
      'SHARDLOOM_INSUFFICIENT_MEMORY',
      `stage ${stage} needs ${mb(neededBytes)} (${neededBytes} bytes) and ${mb(availableBytes)} ` +
        `(${availableBytes} bytes) are available; ${help}`,
      { kind: 'resources' },
    )
  }
}

/** A write failed for lack of disk space. Published generations are unchanged. */
export class DiskFullError extends ShardloomError {
  constructor(
    readonly details: { path: string; neededBytes: number; freeBytes: number | undefined; help?: string },
    cause?: unknown,
  ) {
    const { path, neededBytes, freeBytes, help = 'free space there, or name a file on a larger disk' } = details
    super(
      'SHARDLOOM_DISK_FULL',
      `${path}: the disk is full: ${neededBytes} bytes to write, ${freeBytes ?? 'an unknown number of'} bytes free; ` +
        help,
      { cause, kind: 'resources' },
    )
  }
}

/** A spill file is damaged before its end. */
export class CorruptSpillError extends ShardloomError {
  constructor(
    readonly path: string,
    readonly offset: number,
    reason: string,
  ) {
    super('SHARDLOOM_CORRUPT_SPILL', `${path} at byte ${offset}: ${reason}; build again`, { kind: 'corrupt' })
  }
}

/** A byte of the index does not match its checksum, or a file is missing, short or from another build. */
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
      kind: 'corrupt',
    })
    this.offset = options.offset
  }
}

/** Another build, or another writer, holds the index directory. */
export class IndexLockedError extends ShardloomError {
  constructor(
    readonly path: string,
    holder: { pid: number; host: string; since: string },
    doing: 'built' | 'written to' = 'built',
    /** The file of the lock, where nobody here can know whether the holder is alive. */
    farLock?: string,
  ) {
    const fix = farLock === undefined ? '' : `; when that host is gone, delete ${farLock}`
    super(
      'SHARDLOOM_INDEX_LOCKED',
      `${path} is being ${doing} by process ${holder.pid} on ${holder.host} since ${holder.since}; wait for it, or end ` +
        `it${fix}`,
    )
  }
}

/** A worker died or threw on the same task each time that it was tried. */
export class WorkerFailedError extends ShardloomError {
  constructor(
    readonly task: string,
    cause: unknown,
    how = 'twice, the second time on a fresh worker',
  ) {
    super('SHARDLOOM_WORKER_FAILED', `task ${task} failed ${how}: ${messageOf(cause)}`, { cause })
  }
}

/** The build made no progress for `stallSeconds`. */
export class StalledError extends ShardloomError {
  constructor(readonly details: { stage: string; doing: string; stallSeconds: number; rssBytes: number }) {
    const { stage, doing, stallSeconds, rssBytes } = details
    super(
      'SHARDLOOM_STALLED',
      `no progress for ${stallSeconds} s in stage ${stage} (${doing}); RSS ${(rssBytes / 1e6).toFixed(0)} MB`,
    )
  }
}

/** An engine cannot work: its package has another version, or another memory layout than expected. */
export class EngineError extends ShardloomError {
  constructor(
    readonly engine: string,
    reason: string,
    cause?: unknown,
  ) {
    super('SHARDLOOM_ENGINE', `engine ${engine}: ${reason}`, { cause })
  }
}

/** V8 compiled the distance tile wrongly: a result differs from the same in plain JavaScript. */
export class MiscompiledError extends ShardloomError {
  constructor(
    readonly details: { what: string; kind: string; gridDims: number; got: number; expected: number; v8: string },
  ) {
    const { what, kind, gridDims, got, expected, v8 } = details
    super(
      'SHARDLOOM_MISCOMPILED',
      `${what}, of ${gridDims} dimensions of ${kind}, is ${got} instead of ${expected}: V8 ${v8} compiled the wide ` +
        `distance tile wrongly; build afresh with the environment variable SHARDLOOM_WIDE=0 and --no-resume ` +
        `(resume: false)`,
    )
  }
}

/** The proof measured less recall than `minRecall`; nothing was published. */
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

/** The caller's AbortSignal fired, or the command got SIGHUP, SIGINT or SIGTERM. */
export class AbortedError extends ShardloomError {
  constructor(cause?: unknown, message = 'the build was interrupted; the live generation is unchanged') {
    super('SHARDLOOM_ABORTED', message, {
      cause,
      kind: 'interrupted',
    })
  }
}

/** A method was called on a closed index. */
export class IndexClosedError extends ShardloomError {
  constructor(path: string) {
    super('SHARDLOOM_INDEX_CLOSED', `the index ${path} is closed`)
  }
}

/** The proof could not make every node reachable; nothing was published. */
export class UnreachableNodesError extends ShardloomError {
  constructor(readonly details: { unreachable: number; count: number }) {
    const { unreachable, count } = details
    super(
      'SHARDLOOM_UNREACHABLE',
      `${unreachable} of ${count} nodes stay unreachable after repair; not published, the live generation is unchanged`,
    )
  }
}

/** A file operation failed for a reason that has no class, such as an I/O error or too many open files. */
export class FileFailedError extends ShardloomError {
  constructor(
    readonly path: string,
    cause: unknown,
  ) {
    const reason = messageOf(cause)
    super('SHARDLOOM_FILE_FAILED', `${path}: a file operation failed: ${reason}`, { cause })
  }
}

/**
 * A sync of the log of changes failed, or a failed write could not be cut off: what the device holds is unknown. The log
 * takes no more changes until the index is opened again.
 */
export class LogFailedError extends ShardloomError {
  constructor(
    readonly path: string,
    reason: string,
    cause: unknown,
  ) {
    super(
      'SHARDLOOM_LOG_FAILED',
      `${path}: ${reason}: ${messageOf(cause)}; no more changes are written to it; open the index again`,
      { cause },
    )
  }
}

/** A spill file could not be written, read or deleted, for another reason than a full disk. */
export class SpillFailedError extends ShardloomError {
  constructor(
    readonly path: string,
    doing: string,
    cause: unknown,
  ) {
    const reason = messageOf(cause)
    super('SHARDLOOM_SPILL_FAILED', `${path}: cannot ${doing}: ${reason}`, { cause })
  }
}

/** A queue was used after it was closed. */
export class QueueClosedError extends ShardloomError {
  constructor(
    readonly queue: string,
    doing: string,
  ) {
    super('SHARDLOOM_QUEUE_CLOSED', `queue ${queue} is closed: cannot ${doing}`)
  }
}

/** The process has too few virtual addresses for the WebAssembly memory of another thread. */
export class NoAddressSpaceError extends ShardloomError {
  constructor(cause: unknown) {
    super(
      'SHARDLOOM_NO_ADDRESS_SPACE',
      'no address space for a kernel: each thread and each open index reserves about 10 GB of addresses (not of memory); ' +
        'raise the limit on virtual memory (ulimit -v), use fewer threads, close indexes, or run Node with ' +
        '--disable-wasm-trap-handler, which reserves less and is slower',
      { cause, kind: 'resources' },
    )
  }
}

/** The limit on open files leaves too few for a build, an index or the command. */
export class OpenFilesError extends ShardloomError {
  constructor(readonly details: { what: string; needed: number; open: number; limit: number }) {
    const { what, needed, open, limit } = details
    const used = open === 0 ? '' : ` and has ${open} open`
    super(
      'SHARDLOOM_OPEN_FILES',
      `${what} needs ${needed} files, and this process may open ${limit}${used}; raise the limit on open files ` +
        `(ulimit -n ${2 ** Math.ceil(Math.log2(Math.max(1024, open + needed)))}), or use fewer threads`,
      { kind: 'resources' },
    )
  }
}

/** Node.js is too old. Thrown when the library is loaded. */
export class UnsupportedNodeError extends ShardloomError {
  constructor(reason: string) {
    super('SHARDLOOM_UNSUPPORTED_NODE', reason)
  }
}

/** The library was bundled, away from its worker threads and kernels. Thrown when it is loaded. */
export class BundledError extends ShardloomError {
  constructor() {
    super(
      'SHARDLOOM_BUNDLED',
      'shardloom is in a bundle, and its threads and kernels (kernel.wasm) are not; mark shardloom as external: esbuild ' +
        "--external:shardloom, webpack externals: { shardloom: 'commonjs shardloom' }, vite ssr: { external: " +
        "['shardloom'] }, Next.js serverExternalPackages: ['shardloom']",
    )
  }
}
