/**
 * The options of `buildIndex` and of `shardloom build`. The checks, the flags, configuration files, the interface
 * BuildOptions and the tables of the documents come from these schemas.
 */
import * as v from 'valibot'
import type { FieldSchema } from '../api/fields.js'
import { isPlainObject } from '../fields/schema.js'
import { CLUSTER_FLAGS, CLUSTER_OPTION } from './cluster/cluster-options.js'
import { MAX_COUNT, MAX_STALL_SECONDS } from './limits.js'
import { choice, fieldsToRead, flag, integer, name, numberFrom, option, sizeOrZero, text } from './option-values.js'
import { DEFAULT_ENGINE, DEFAULT_M, DEFAULT_SEED, OUT_ALIAS, SHARED_OPTIONS } from './shared-options.js'

/** Longer than any task of a build that fits a machine, and than a source that waits out a rate limit. */
const DEFAULT_STALL_SECONDS = 1800

/** Where an index goes. */
export const INDEX_PATH = option(name('the path of the index directory'), 'the index directory; created when missing', {
  flag: 'out',
  alias: OUT_ALIAS,
  value: 'DIR',
  isPath: true,
  fallback: 'required',
})

export const BUILD_OPTIONS = {
  path: INDEX_PATH,
  metric: v.optional(SHARED_OPTIONS.metric, 'l2'),
  dimensions: v.optional(
    option(SHARED_OPTIONS.dimensions, 'expected length of every vector', {
      fallback: "the first vector's",
      doc: 'expected length of every vector, 1 to 65,536',
    }),
  ),
  count: v.optional(
    option(integer(0, MAX_COUNT), 'number of vectors to come, when the input does not state it', {
      value: 'N',
      fallback: 'unknown',
      doc:
        'number of vectors to come, when known: a build that cannot fit is then refused before the first one is ' +
        'read',
    }),
  ),
  fields: v.optional(
    option(
      v.custom<FieldSchema>(isPlainObject, "an object of names and types, such as { title: 'text', price: 'number' }"),
      'names and types of the fields of records',
      {
        noFlag: true,
        fallback: 'none',
        type: 'FieldSchema',
        doc:
          'names and types of what records have beside their vectors, to filter by, to find words in, and to get back: ' +
          "`{ category: 'keyword', title: 'text' }`",
      },
    ),
  ),
  m: v.optional(SHARED_OPTIONS.m, DEFAULT_M),
  quality: v.optional(
    option(choice(['auto', 'balanced', 'high']), 'balanced or high; auto tries balanced on a sample', {
      value: 'Q',
      type: "Quality | 'auto'",
      doc:
        "'high' makes a better graph in a longer build than 'balanced'; 'auto' tries 'balanced' on a sample, and " +
        "takes 'high' when its recall is too low",
    }),
    'auto',
  ),
  engine: v.optional(SHARED_OPTIONS.engine, DEFAULT_ENGINE),
  quantization: v.optional(SHARED_OPTIONS.quantization, 'f32'),
  memory: v.optional(SHARED_OPTIONS.memory),
  threads: v.optional(SHARED_OPTIONS.threads),
  tempDir: v.optional(SHARED_OPTIONS.tempDir),
  cluster: v.optional(CLUSTER_OPTION),
  seed: v.optional(
    option(SHARED_OPTIONS.seed, 'same input, options and seed: same bytes', {
      doc: 'unsigned 32-bit integer. The same input, options and seed give the same bytes',
    }),
    DEFAULT_SEED,
  ),
  duplicates: v.optional(
    option(
      choice(['error', 'first', 'last', 'keep']),
      'an id given twice: error, its first or last vector, or keep all',
      {
        value: 'P',
        doc:
          "what to do with an id that is given twice: 'error'; take its 'first' or its 'last' vector; or 'keep' all: " +
          'then an id has several vectors, and searches find ids',
      },
    ),
    'error',
  ),
  invalid: v.optional(
    option(choice(['error', 'skip']), 'NaN, infinity, zero under cosine, wrong fields: error or skip', {
      value: 'P',
      doc:
        'what to do with NaN, infinity, a zero vector under cosine, or fields that are not as `fields` says: ' +
        "'error', or 'skip' and count it",
    }),
    'error',
  ),
  minRecall: v.optional(SHARED_OPTIONS.minRecall),
  keepGenerations: v.optional(SHARED_OPTIONS.keepGenerations, 1),
  force: v.optional(SHARED_OPTIONS.force, false),
  resume: v.optional(
    option(flag(), 'start afresh, and keep nothing when interrupted', {
      doc:
        'keep finished work when a build is interrupted, and go on from it, for a source that is a function of ' +
        '`startAt`; `false` starts afresh and keeps nothing. A plain iterable is never resumed',
    }),
    true,
  ),
  sourceFingerprint: v.optional(
    option(text(), 'text that changes when the source does', {
      noFlag: true,
      fallback: 'none',
      doc: 'text that changes when the source does: a build is only resumed under the same one',
    }),
  ),
  liveSequence: v.optional(
    option(integer(0, Number.MAX_SAFE_INTEGER), 'last change of the index that the input has', {
      value: 'N',
      fallback: 'the last one',
      doc:
        'number of the last change of this index that the source has: later ones stay on top of the build. For a ' +
        'source that is older than the build, such as a dump: `live.sequence` of the index before it was made',
    }),
  ),
  stallSeconds: v.optional(
    option(numberFrom(0, MAX_STALL_SECONDS), 'fail when the input or a task gives nothing for N seconds; 0: never', {
      value: 'N',
      doc:
        'fail when the source gives nothing, or a task no answer (it first runs once more), for this many seconds; ' +
        '0 waits for ever',
    }),
    DEFAULT_STALL_SECONDS,
  ),
  queueBytes: v.optional(
    option(sizeOrZero(), 'bytes of queues held in memory at most', {
      value: 'SIZE',
      fallback: 'by the plan',
      doc:
        'bytes of queues held in memory at most, as a number or text such as 64MB, where that is less than the plan ' +
        'gives; 0 sends everything through files',
    }),
  ),
  signal: v.optional(SHARED_OPTIONS.signal),
  onProgress: v.optional(SHARED_OPTIONS.onProgress),
  logger: v.optional(SHARED_OPTIONS.logger),
} as const

export const buildOptionsSchema = v.strictObject(BUILD_OPTIONS)

const {
  signal: _signal,
  onProgress: _onProgress,
  logger: _logger,
  fields: _fields,
  cluster: _cluster,
  path,
  ...optional
} = BUILD_OPTIONS

/**
 * What `shardloom build` takes, as flags and in a configuration file: the options of a build that are data, and the
 * command's own.
 */
export const BUILD_COMMAND_OPTIONS = {
  input: v.optional(
    option(
      v.union(
        [name('a path'), v.pipe(v.array(name('a path')), v.minLength(1, 'a path, or several'))],
        'a path, or several',
      ),
      'files of vectors, patterns of them, or - for standard input',
      {
        argument: '[input...]',
        isPath: true,
        fallback: 'required',
        doc: "file of vectors, or several; '-' is standard input",
      },
    ),
  ),
  path: v.optional(path),
  ids: v.optional(
    option(name('a path'), 'file with one id a line: text, or JSON in a .jsonl', {
      value: 'FILE',
      isPath: true,
      fallback: 'none',
      doc: 'file with one id a line: text, which is always a string; or JSON in a `.jsonl`',
    }),
  ),
  vectorColumn: v.optional(
    option(name('the name of a column'), 'column, array or field of the vectors', {
      value: 'NAME',
      fallback: 'the only one',
      doc: 'column of the vectors in a table, array of npz or safetensors, or field of JSON, such as `data.vector`',
    }),
  ),
  idColumn: v.optional(
    option(name('the name of a column'), 'column, array or field of the ids', {
      value: 'NAME',
      fallback: 'none',
    }),
  ),
  fields: v.optional(
    option(fieldsToRead(), 'columns that become fields, as category,price:number', {
      value: 'LIST',
      fallback: 'none',
      type: 'FieldsToRead',
      doc:
        'columns that become fields: names, each with a type after a colon or without, ' +
        "`['category', 'price:number']`, or a schema, `{ price: 'number' }`",
    }),
  ),
  ...optional,
  ...CLUSTER_FLAGS,
  report: v.optional(
    option(name('a path'), 'write a page about the build, compared with the build before', {
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
      doc: "file for node_exporter's textfile collector; it must end with `.prom`. A failed build writes it too",
    }),
  ),
  quiet: v.optional(SHARED_OPTIONS.quiet, false),
  logFormat: v.optional(
    option(choice(['text', 'json']), 'what goes to stderr: text, or json, one object a line', {
      value: 'F',
      doc: "what goes to stderr: 'text', or 'json', one object a line",
    }),
    'text',
  ),
} as const

export const buildConfigSchema = v.strictObject(BUILD_COMMAND_OPTIONS)
