import type * as v from 'valibot'
import { describe, expectTypeOf, it } from 'vitest'
import type { BuildOptions, ClusterOptions } from '../../src/api/build.js'
import type { CompactOptions, CreateOptions, WriteOptions } from '../../src/api/live.js'
import type { RecallOptions, TuneOptions } from '../../src/api/measure.js'
import type { OpenOptions, SearchOptions } from '../../src/api/search.js'
import type { WorkerOptions } from '../../src/api/worker.js'
import type { ExportOptions } from '../../src/interop/export-index.js'
import type { ImportOptions } from '../../src/interop/import-index.js'
import type { buildConfigSchema, buildOptionsSchema } from '../../src/options/build-options.js'
import type { ShardloomConfig } from '../../src/options/config/define-config.js'
import type { estimateOptionsSchema, suggestOptionsSchema } from '../../src/options/estimate-options.js'
import type { exportOptionsSchema } from '../../src/options/export-options.js'
import type { importOptionsSchema } from '../../src/options/import-options.js'
import type { workerOptionsSchema } from '../../src/options/cluster/worker-options.js'
import type { compactOptionsSchema, createOptionsSchema, writeOptionsSchema } from '../../src/options/live-options.js'
import type { recallOptionsSchema, tuneOptionsSchema } from '../../src/options/measure-options.js'
import type { openOptionsSchema, SEARCH_OPTIONS } from '../../src/options/search-options.js'
import type { SuggestQuantizationOptions } from '../../src/plan/suggest-quantization.js'
import type { EstimateOptions } from '../../src/pipeline/estimate-memory.js'

/** As a schema infers it: no property and no list is readonly. */
type Mutable<Type> = {
  -readonly [Key in keyof Type]: Type[Key] extends readonly string[]
    ? string[]
    : Type[Key] extends readonly number[] | undefined
      ? number[] | undefined
      : Type[Key] extends ClusterOptions | undefined
        ? { -readonly [Part in keyof ClusterOptions]: ClusterOptions[Part] } | undefined
        : Type[Key]
}
type Given<Schema extends v.GenericSchema> = v.InferInput<Schema>

/** The interfaces are generated from the schemas; these are the types that the schemas infer. */
describe('an interface of options has the type of its schema', () => {
  it('in a build, an import and a configuration file', () => {
    expectTypeOf<Given<typeof buildOptionsSchema>>().toEqualTypeOf<Mutable<BuildOptions>>()
    expectTypeOf<Given<typeof importOptionsSchema>>().toEqualTypeOf<Mutable<ImportOptions>>()
    type Config = Given<typeof buildConfigSchema>
    expectTypeOf<keyof Config>().toEqualTypeOf<keyof ShardloomConfig>()
    expectTypeOf<Omit<Config, 'input'>>().toEqualTypeOf<Mutable<Omit<ShardloomConfig, 'input'>>>()
  })

  it('in an export and in estimates', () => {
    expectTypeOf<Given<typeof exportOptionsSchema>>().toEqualTypeOf<Mutable<ExportOptions>>()
    expectTypeOf<Given<typeof estimateOptionsSchema>>().toEqualTypeOf<Mutable<EstimateOptions>>()
    expectTypeOf<Given<typeof suggestOptionsSchema>>().toEqualTypeOf<Mutable<SuggestQuantizationOptions>>()
  })

  it('in changes of an index', () => {
    type Write = Omit<Given<typeof writeOptionsSchema>, 'write'>
    expectTypeOf<Write>().toEqualTypeOf<Omit<Mutable<WriteOptions>, 'write'>>()
    expectTypeOf<Given<typeof createOptionsSchema>>().toEqualTypeOf<Mutable<CreateOptions>>()
    expectTypeOf<Given<typeof compactOptionsSchema>>().toEqualTypeOf<Mutable<CompactOptions>>()
  })

  it('in a worker', () => {
    expectTypeOf<Given<typeof workerOptionsSchema>>().toEqualTypeOf<Mutable<WorkerOptions>>()
  })

  it('in searches and measurements', () => {
    expectTypeOf<Given<typeof openOptionsSchema>>().toEqualTypeOf<Mutable<OpenOptions>>()
    type Search = Given<v.StrictObjectSchema<typeof SEARCH_OPTIONS, undefined>>
    expectTypeOf<Search>().toEqualTypeOf<Mutable<SearchOptions>>()
    expectTypeOf<Given<typeof recallOptionsSchema>>().toEqualTypeOf<Mutable<RecallOptions>>()
    expectTypeOf<Given<typeof tuneOptionsSchema>>().toEqualTypeOf<Mutable<TuneOptions>>()
  })
})
