/** What each command takes on the command line, except `build`: src/options/build-options.ts. */
import * as v from 'valibot'
import { ESTIMATE_OPTIONS } from './estimate-options.js'
import { EXPORT_OPTIONS } from './export-options.js'
import { IMPORT_OPTIONS } from './import-options.js'
import { DEFAULT_SAMPLE, WIDTHS } from './measure-options.js'
import { flag, integer, name, names, option } from './option-values.js'
import { MAX_UINT32 } from './limits.js'
import { DEFAULT_K, DEFAULT_SEED, INDEX_ARGUMENT, OUT_ALIAS, QUERIES_FILE, SHARED_OPTIONS } from './shared-options.js'

const { ef, k, rerank, sample, seed, targetRecall, openMemory } = SHARED_OPTIONS
const quiet = v.optional(SHARED_OPTIONS.quiet, false)

/** Values that `facets` prints. */
const DEFAULT_FACETS = 20

const FIELD_FLAGS = {
  filter: v.optional(
    option(name('a filter as JSON'), 'search only what this filter keeps, as JSON', {
      value: 'JSON',
      fallback: 'none',
    }),
  ),
  select: v.optional(
    option(names('names of fields, with commas between them'), 'fields to give with each hit, as title,url', {
      value: 'LIST',
      fallback: 'none',
    }),
  ),
}

export const SEARCH_COMMAND_OPTIONS = {
  path: INDEX_ARGUMENT,
  queries: v.optional(
    option(QUERIES_FILE, 'file of queries; - for standard input', {
      orArgument: '[queries]',
      fallback: 'required without --text',
    }),
  ),
  ...FIELD_FLAGS,
  text: v.optional(
    option(name('words'), 'words to find, beside the queries or without any', { value: 'WORDS', fallback: 'none' }),
  ),
  k: v.optional(k, DEFAULT_K),
  ef: v.optional(ef),
  rerank: v.optional(rerank),
  targetRecall: v.optional(targetRecall),
  memory: v.optional(openMemory),
  groundTruth: v.optional(
    option(name('a path'), 'ivecs file with the exact neighbours by row number; adds recall', {
      value: 'FILE',
      fallback: 'none',
    }),
  ),
  ids: v.optional(
    option(name('a path'), 'with --ground-truth: the ids the index was built with, one a line', {
      value: 'FILE',
      fallback: 'none',
    }),
  ),
} as const

/** One id, or several. */
const words = (allowed: string) =>
  v.union([name(allowed), v.pipe(v.array(name(allowed)), v.minLength(1, allowed))], allowed)

export const GET_COMMAND_OPTIONS = {
  path: INDEX_ARGUMENT,
  id: option(words('an id, or several'), 'ids to look up; -- before ids that begin with -', { argument: '<id...>' }),
} as const

export const FACETS_COMMAND_OPTIONS = {
  path: INDEX_ARGUMENT,
  field: option(name('the name of a field'), 'the field whose values are counted', { argument: '<field>' }),
  filter: v.optional(
    option(name('a filter as JSON'), 'count only what this filter keeps, as JSON', { value: 'JSON', fallback: 'none' }),
  ),
  limit: v.optional(
    option(integer(1, MAX_UINT32), 'values to print: those that most vectors have', { value: 'N' }),
    DEFAULT_FACETS,
  ),
} as const

export const RECALL_COMMAND_OPTIONS = {
  path: INDEX_ARGUMENT,
  k: v.optional(k, DEFAULT_K),
  ef: v.optional(WIDTHS),
  rerank: v.optional(rerank),
  sample: v.optional(option(sample, 'vectors of the index to search for', { fallback: String(DEFAULT_SAMPLE) })),
  queries: v.optional(
    option(QUERIES_FILE, 'file of queries, in place of sampled vectors; - for standard input', {
      fallback: 'none',
      orArgument: '[queries]',
    }),
  ),
  targetRecall: v.optional(targetRecall),
  seed: v.optional(option(seed, 'decides what is sampled'), DEFAULT_SEED),
  memory: v.optional(openMemory),
  quiet: v.optional(option(SHARED_OPTIONS.quiet, 'print nothing but errors and the result'), false),
} as const

export const INFO_COMMAND_OPTIONS = { path: INDEX_ARGUMENT } as const

export const VERIFY_COMMAND_OPTIONS = {
  path: INDEX_ARGUMENT,
  quiet: v.optional(option(SHARED_OPTIONS.quiet, 'print nothing but problems'), false),
} as const

/** The generation before the live one, by name. */
export const PREVIOUS = 'previous'
const GENERATION = /^gen-\d{6,15}$/
const GENERATION_ALLOWED = `a generation like gen-000003, or ${PREVIOUS}`

/** Recall of 200 queries has a standard error below 0.006 from 0.95 on. */
export const REPORT_SAMPLE = 200

export const REPORT_COMMAND_OPTIONS = {
  path: INDEX_ARGUMENT,
  out: option(name('a path'), 'the page to write; an older page there is replaced', {
    value: 'FILE',
    alias: OUT_ALIAS,
  }),
  compare: v.optional(option(name('a path'), 'another index to compare with', { value: 'DIR', fallback: 'none' })),
  compareGeneration: v.optional(
    option(
      v.pipe(
        v.string(GENERATION_ALLOWED),
        v.check((text) => text === PREVIOUS || GENERATION.test(text), GENERATION_ALLOWED),
      ),
      `an older generation to compare with: gen-000003, or ${PREVIOUS}`,
      { value: 'G', fallback: 'none' },
    ),
  ),
  recall: v.optional(
    option(flag(), 'measure recall and speed', { opposite: 'do not measure', fallback: 'when the index is small' }),
  ),
  queries: v.optional(
    option(QUERIES_FILE, 'file of queries to measure with; - for standard input', { fallback: 'none' }),
  ),
  sample: v.optional(option(sample, 'vectors of the index to search for', { fallback: String(REPORT_SAMPLE) })),
  memory: v.optional(openMemory),
  quiet,
} as const

export const ESTIMATE_COMMAND_OPTIONS = ESTIMATE_OPTIONS

const { signal: _exportSignal, onProgress: _exportProgress, ...exported } = EXPORT_OPTIONS
export const EXPORT_COMMAND_OPTIONS = { path: INDEX_ARGUMENT, ...exported, quiet } as const

const { signal: _signal, onProgress: _onProgress, logger: _logger, ...imported } = IMPORT_OPTIONS
export const IMPORT_COMMAND_OPTIONS = {
  file: option(name('a path'), 'the hnswlib file', { argument: '<FILE>' }),
  ...imported,
  quiet,
} as const

/** What `shardloom build` takes besides the options that a configuration file can hold. */
export const CONFIG_FLAGS = {
  config: v.optional(
    option(v.union([name('a path'), v.literal(false)], 'a path'), 'read options from this file, and search for none', {
      value: 'FILE',
      fallback: 'the nearest one',
      opposite: 'read no configuration file',
    }),
  ),
  printConfig: v.optional(option(flag(), 'print the options and where each comes from, and build nothing'), false),
} as const
