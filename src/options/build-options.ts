/**
 * Every option of a build, once: what it may be, its default, and what the help and the tables of README say of it. The
 * checks, the flags, configuration files and the tables come from here; BuildOptions (src/api/build.ts) has the words for
 * programs, and a test holds its types against these.
 */
import * as v from 'valibot'
import { DEFAULT_ENGINE, ENGINE_NAMES } from '../engines/engine-names.js'
import { QUANTIZATIONS } from '../format/graph/quantized-shape.js'
import type { Logger, ProgressEvent } from '../api/build.js'
import { MAX_COUNT, MAX_DIMENSIONS, MAX_STALL_SECONDS } from './limits.js'
import { callable, choice, flag, integer, name, numberFrom, option, size, sizeOrZero, text } from './option-values.js'

/** Longer than any task of a build that fits a machine, and than a source that waits out a rate limit. */
const DEFAULT_STALL_SECONDS = 1800

export const BUILD_OPTIONS = {
  path: option(name('the path of the index directory'), 'the index directory; created when missing', {
    flag: 'out',
    value: 'DIR',
    isPath: true,
    fallback: 'required',
  }),
  metric: v.optional(option(choice(['l2', 'cosine', 'ip']), 'l2, cosine or ip', { value: 'M' }), 'l2'),
  dimensions: v.optional(
    option(integer(1, MAX_DIMENSIONS), 'expected length of every vector', {
      value: 'N',
      fallback: "the first vector's",
    }),
  ),
  count: v.optional(
    option(integer(0, MAX_COUNT), 'vectors to come, where the input does not tell', {
      value: 'N',
      fallback: 'unknown',
    }),
  ),
  m: v.optional(option(integer(4, 64), 'links per node, 4 to 64; twice that on level 0', { value: 'N' }), 16),
  quality: v.optional(
    option(choice(['auto', 'balanced', 'high']), 'balanced or high; auto tries balanced on a sample', { value: 'Q' }),
    'auto',
  ),
  engine: v.optional(
    option(choice(ENGINE_NAMES), `what links the vectors of a shard: ${ENGINE_NAMES.join(' or ')}`, { value: 'E' }),
    DEFAULT_ENGINE,
  ),
  quantization: v.optional(
    option(choice(QUANTIZATIONS), 'what searches compare: f32, f16, sq8, pq or binary', { value: 'S' }),
    'f32',
  ),
  memory: v.optional(option(size(), 'memory budget, as 512MB or 2GiB', { value: 'SIZE', fallback: 'what is there' })),
  threads: v.optional(option(integer(1, 1024), 'worker threads at most', { value: 'N', fallback: 'the cores' })),
  tempDir: v.optional(
    option(name('a path'), 'where temporary files go', { value: 'DIR', isPath: true, fallback: 'build/ in the index' }),
  ),
  seed: v.optional(option(integer(0, 2 ** 32 - 1), 'same input, options and seed: same bytes', { value: 'N' }), 1),
  duplicates: v.optional(
    option(choice(['error', 'first', 'last']), 'an id given twice: error, or the first or last stays', { value: 'P' }),
    'error',
  ),
  invalid: v.optional(
    option(choice(['error', 'skip']), 'NaN, infinity, or zero under cosine: error or skip', { value: 'P' }),
    'error',
  ),
  minRecall: v.optional(
    option(numberFrom(0, 1), 'do not publish below this measured recall@10', { value: 'R', fallback: 'none' }),
  ),
  keepGenerations: v.optional(option(integer(0, 1000), 'old builds kept beside the live one', { value: 'N' }), 1),
  resume: v.optional(option(flag(), 'start afresh, and keep nothing when interrupted'), true),
  sourceFingerprint: v.optional(
    option(text(), 'text that changes when the source does', { noFlag: true, fallback: 'none' }),
  ),
  stallSeconds: v.optional(
    option(numberFrom(0, MAX_STALL_SECONDS), 'end when the input, or a task, gives nothing for so long; 0: never', {
      value: 'N',
    }),
    DEFAULT_STALL_SECONDS,
  ),
  queueBytes: v.optional(
    option(sizeOrZero(), 'bytes of queues held in memory at most', { value: 'SIZE', fallback: 'by the plan' }),
  ),
  signal: v.optional(
    option(callable<AbortSignal>('an AbortSignal', ['addEventListener', 'removeEventListener']), '', {
      noFlag: true,
      fallback: 'none',
    }),
  ),
  onProgress: v.optional(
    option(callable<(event: ProgressEvent) => void>('a function'), '', { noFlag: true, fallback: 'none' }),
  ),
  logger: v.optional(
    option(callable<Logger>('an object with the methods info and warn', ['info', 'warn']), '', {
      noFlag: true,
      fallback: 'silent',
    }),
  ),
} as const

export const buildOptionsSchema = v.strictObject(BUILD_OPTIONS)

const { signal: _signal, onProgress: _onProgress, logger: _logger, path, ...optional } = BUILD_OPTIONS

/**
 * What `shardloom build` takes, as flags and in a configuration file: the options of a build that are data, and what only
 * the command line has.
 */
export const BUILD_COMMAND_OPTIONS = {
  input: v.optional(
    option(
      v.union(
        [name('a path'), v.pipe(v.array(name('a path')), v.minLength(1, 'a path, or several'))],
        'a path, or several',
      ),
      'file of vectors, or - for standard input',
      { noFlag: true, isPath: true },
    ),
  ),
  path: v.optional(path),
  ids: v.optional(
    option(name('a path'), 'one id a line: text, always strings; or JSON in a .jsonl', {
      value: 'FILE',
      isPath: true,
      fallback: 'none',
    }),
  ),
  vectorColumn: v.optional(
    option(name('the name of a column'), 'column of vectors of a table', { value: 'NAME', fallback: 'the only one' }),
  ),
  idColumn: v.optional(
    option(name('the name of a column'), 'column of ids of a table: text or integers', {
      value: 'NAME',
      fallback: 'none',
    }),
  ),
  ...optional,
  report: v.optional(
    option(name('a path'), 'write a page about the build, beside the one before it', {
      value: 'FILE',
      isPath: true,
      fallback: 'none',
    }),
  ),
  metricsFile: v.optional(
    option(name('a path'), 'write how the build ended, for Prometheus; a .prom file', {
      value: 'FILE',
      isPath: true,
      fallback: 'none',
    }),
  ),
  quiet: v.optional(option(flag(), 'say nothing but errors'), false),
  logFormat: v.optional(
    option(choice(['text', 'json']), 'what goes to stderr: text, or json, one object a line', { value: 'F' }),
    'text',
  ),
} as const

export const buildConfigSchema = v.strictObject(BUILD_COMMAND_OPTIONS)
