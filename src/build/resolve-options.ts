import os from 'node:os'
import path from 'node:path'
import { DEFAULT_ENGINE, engineByName } from '../engines/engine-by-name.js'
import { InvalidOptionError } from '../errors.js'
import { STORAGES } from '../format/code-shape.js'
import { parseByteSize } from '../memory/byte-size.js'
import type { BuildOptions, EngineName, Logger, Metric, ProgressEvent, Quality, Storage } from '../types.js'

/** Every option with its default filled in and its value checked. */
export interface ResolvedOptions {
  readonly path: string
  readonly metric: Metric
  readonly dimensions: number | undefined
  readonly count: number | undefined
  readonly m: number
  readonly quality: Quality | 'auto'
  readonly engine: EngineName
  readonly storage: Storage
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

/** Longer than any task of a build that fits a machine, and than a source that waits out a rate limit. */
const DEFAULT_STALL_SECONDS = 1800
/** Timers take 32 bits of milliseconds. */
export const MAX_STALL_SECONDS = 2_000_000

export const MAX_DIMENSIONS = 65_536

const KNOWN_OPTIONS: ReadonlySet<string> = new Set<keyof BuildOptions>([
  'path', 'metric', 'dimensions', 'count', 'm', 'quality', 'engine', 'storage', 'memory', 'threads', 'tempDir', 'seed',
  'duplicates', 'invalid', 'minRecall', 'keepGenerations', 'resume', 'sourceFingerprint', 'stallSeconds', 'queueBytes', 'signal', 'onProgress', 'logger',
]) // prettier-ignore

/** Throws InvalidOptionError, naming the option, what was expected and what was got. */
export function resolveOptions(options: BuildOptions): ResolvedOptions {
  for (const name of Object.keys(options)) {
    if (!KNOWN_OPTIONS.has(name)) throw new InvalidOptionError(`unknown option ${JSON.stringify(name)}`)
  }
  if (typeof options.path !== 'string' || options.path === '') {
    throw new InvalidOptionError(`path must name the index directory, got ${JSON.stringify(options.path)}`)
  }
  const metric = oneOf('metric', options.metric ?? 'l2', ['l2', 'cosine', 'ip'])
  return {
    path: path.resolve(options.path),
    metric,
    dimensions: optional(options.dimensions, (value) => integer('dimensions', value, 1, MAX_DIMENSIONS)),
    count: optional(options.count, (value) => integer('count', value, 0, 2 ** 32 - 2)),
    m: integer('m', options.m ?? 16, 4, 64),
    quality: oneOf('quality', options.quality ?? 'auto', ['auto', 'balanced', 'high']),
    engine: engineByName(options.engine ?? DEFAULT_ENGINE).name,
    storage: storageFor(metric, oneOf('storage', options.storage ?? 'f32', STORAGES)),
    memoryBytes: optional(options.memory, (value) => parseByteSize(value, 'memory')),
    threads: integer('threads', options.threads ?? os.availableParallelism(), 1, 1024),
    tempDir: optional(options.tempDir, (value) => path.resolve(value)),
    seed: integer('seed', options.seed ?? 1, 0, 2 ** 32 - 1),
    duplicates: oneOf('duplicates', options.duplicates ?? 'error', ['error', 'first', 'last']),
    invalid: oneOf('invalid', options.invalid ?? 'error', ['error', 'skip']),
    minRecall: optional(options.minRecall, (value) => fraction('minRecall', value)),
    keepGenerations: integer('keepGenerations', options.keepGenerations ?? 1, 0, 1000),
    resume: flag('resume', options.resume ?? true),
    sourceFingerprint: optional(options.sourceFingerprint, (value) => text('sourceFingerprint', value)),
    stallSeconds: seconds('stallSeconds', options.stallSeconds ?? DEFAULT_STALL_SECONDS),
    queueBytes: optional(options.queueBytes, (value) => integer('queueBytes', value, 0, Number.MAX_SAFE_INTEGER)),
    signal: options.signal,
    onProgress: options.onProgress,
    logger: options.logger ?? SILENT,
  }
}

/** One bit tells the side of a plane through the middle: what it says is an angle. */
function storageFor(metric: Metric, storage: Storage): Storage {
  if (storage !== 'binary' || metric === 'cosine') return storage
  throw new InvalidOptionError(
    `storage 'binary' compares angles and needs metric 'cosine', got '${metric}'; choose metric 'cosine', or storage 'pq'`,
  )
}

function optional<Given, Result>(value: Given | undefined, check: (value: Given) => Result): Result | undefined {
  return value === undefined ? undefined : check(value)
}

function integer(name: string, value: unknown, least: number, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  throw new InvalidOptionError(`${name} must be an integer from ${least} to ${most}, got ${String(value)}`)
}

function flag(name: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value
  throw new InvalidOptionError(`${name} must be true or false, got ${JSON.stringify(value)}`)
}

function text(name: string, value: unknown): string {
  if (typeof value === 'string') return value
  throw new InvalidOptionError(`${name} must be a string, got ${JSON.stringify(value)}`)
}

function seconds(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= MAX_STALL_SECONDS) return value
  throw new InvalidOptionError(`${name} must be a number from 0 to ${MAX_STALL_SECONDS}, got ${String(value)}`)
}

function fraction(name: string, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value
  throw new InvalidOptionError(`${name} must be a number from 0 to 1, got ${String(value)}`)
}

function oneOf<Name extends string>(option: string, value: string, names: readonly Name[]): Name {
  const found = names.find((name) => name === value)
  if (found !== undefined) return found
  throw new InvalidOptionError(`${option} must be one of ${names.join(', ')}, got ${JSON.stringify(value)}`)
}
