import * as v from 'valibot'
import type { CompactWhen, Durability, LiveEvent } from '../api/live.js'
import { BUILD_OPTIONS } from './build-options.js'
import { callable, choice, flag, integer, numberFrom, option } from './option-values.js'
import { OPEN_OPTIONS } from './search-options.js'
import { SHARED_OPTIONS } from './shared-options.js'

const DEFAULT_MAX_AGE_SECONDS = 300

/** What an index that is open for writing takes besides. */
const WRITER_OPTIONS = {
  durability: v.optional(
    option(
      v.union([
        v.picklist(['sync', 'none']),
        v.strictObject({ everyMs: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 31 - 1)) }),
      ]) as v.GenericSchema<Durability>,
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
      v.strictObject({
        dead: v.optional(numberFrom(0, 100)),
        changed: v.optional(numberFrom(0, 100)),
      }) as v.GenericSchema<CompactWhen>,
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

const { metric, m, quality, quantization, seed } = BUILD_OPTIONS

export const CREATE_OPTIONS = {
  dimensions: SHARED_OPTIONS.dimensions,
  metric,
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
  ...OPEN_OPTIONS,
  ...WRITER_OPTIONS,
} as const

export const createOptionsSchema = v.strictObject(CREATE_OPTIONS)
