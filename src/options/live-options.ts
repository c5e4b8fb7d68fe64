import * as v from 'valibot'
import type { CompactWhen, Durability, LiveEvent } from '../api/live.js'
import { BUILD_OPTIONS } from './build-options.js'
import { callable, choice, flag, integer, numberFrom, option } from './option-values.js'
import { OPEN_OPTIONS } from './search-options.js'
import { SHARED_OPTIONS } from './shared-options.js'

const DEFAULT_MAX_AGE_SECONDS = 300

/** What an index that is open for writing takes besides. */
export const WRITER_OPTIONS = {
  durability: v.optional(
    option(
      v.union(
        [v.picklist(['sync', 'none']), v.strictObject({ everyMs: integer(1, 2 ** 31 - 1) })],
        "'sync', 'none' or { everyMs } with milliseconds from 1 on",
      ) as v.GenericSchema<Durability>,
      "when a change is acknowledged: 'sync', { everyMs } or 'none'",
      {
        noFlag: true,
        type: 'Durability',
        doc:
          "when a change is acknowledged: 'sync', once it is on the device; `{ everyMs }`, once it is in the log, which " +
          "is synced that often; 'none', once it is in the log, which the system syncs when it likes",
      },
    ),
    'sync',
  ),
  maxAgeSeconds: v.optional(
    option(integer(1, 2 ** 21), 'changes in memory are sealed after this many seconds at most'),
    DEFAULT_MAX_AGE_SECONDS,
  ),
  compactWhen: v.optional(
    option(
      v.strictObject(
        { dead: v.optional(numberFrom(0, 100)), changed: v.optional(numberFrom(0, 100)) },
        '{ dead?, changed? } with numbers from 0 to 100',
      ) as v.GenericSchema<CompactWhen>,
      'shares of the last build after which a compaction starts by itself',
      {
        noFlag: true,
        fallback: 'never',
        type: 'CompactWhen',
        doc:
          'shares of the last build that start a compaction: `dead` rows, and `changed` ones, which were added or ' +
          'replaced',
      },
    ),
  ),
  buildThreads: v.optional(
    option(SHARED_OPTIONS.threads, 'worker threads of a compaction at most', { fallback: 'the cores' }),
  ),
  onEvent: v.optional(
    option(callable<(event: LiveEvent) => void>('a function'), 'called for seals, merges, compactions and failures', {
      noFlag: true,
      fallback: 'none',
      type: '(event: LiveEvent) => void',
      doc: 'called for seals, merges, compactions, waits, and failures that are tried again',
    }),
  ),
} as const

export const WRITE_OPTIONS = {
  ...OPEN_OPTIONS,
  write: option(flag(), 'open it for writing too'),
  ...WRITER_OPTIONS,
} as const

export const writeOptionsSchema = v.strictObject(WRITE_OPTIONS)

const { metric, fields, m, quality, quantization, seed } = BUILD_OPTIONS

/** What an index that is made without vectors is made with. */
export const SETTINGS_OPTIONS = {
  dimensions: SHARED_OPTIONS.dimensions,
  metric,
  fields,
  m,
  quality,
  quantization,
  seed,
  duplicates: v.optional(
    option(choice(['last', 'keep']), 'an id given twice in one upsert: its last vector, or all', {
      doc:
        "what an upsert does with an id that is given twice: take its 'last' vector, or 'keep' all: then an id has " +
        'several vectors, an upsert replaces all of them, and searches find ids',
    }),
    'last',
  ),
} as const

export const CREATE_OPTIONS = {
  ...SETTINGS_OPTIONS,
  ...OPEN_OPTIONS,
  ...WRITER_OPTIONS,
} as const

export const createOptionsSchema = v.strictObject(CREATE_OPTIONS)

const AS_MADE = 'as the index was made'

/** What `compact` takes. */
export const COMPACT_OPTIONS = {
  memory: v.optional(SHARED_OPTIONS.memory),
  threads: v.optional(SHARED_OPTIONS.threads),
  tempDir: v.optional(SHARED_OPTIONS.tempDir),
  minRecall: v.optional(SHARED_OPTIONS.minRecall),
  keepGenerations: v.optional(SHARED_OPTIONS.keepGenerations, 1),
  quality: v.optional(
    option(choice(['auto', 'balanced', 'high']), 'balanced or high; auto tries balanced on a sample', {
      value: 'Q',
      type: "Quality | 'auto'",
      fallback: AS_MADE,
      doc: "'balanced', 'high', or 'auto', which tries 'balanced' on a sample",
    }),
  ),
  quantization: v.optional(
    option(SHARED_OPTIONS.quantization, 'what searches compare: f32, f16, sq8, pq or binary', {
      fallback: AS_MADE,
    }),
  ),
} as const

export const compactOptionsSchema = v.strictObject(COMPACT_OPTIONS)
