/** What an index answers from: a generation, and the changes since it was built where there are any. */
import { bigintId } from '../../api/integer-id.js'
import type { Tuning } from '../../api/measure.js'
import type { IndexFacts, OpenOptions } from '../../api/search.js'
import type { GivenId, Id } from '../../api/vectors.js'
import { PathError } from '../../errors.js'
import type { Field } from '../../fields/field.js'
import type { LiveState } from '../live/live-state.js'
import type { LogTail } from '../live/load-live.js'
import type { OpenGeneration } from '../open-generation.js'

export interface OpenView {
  readonly facts: IndexFacts
  /** Undefined before the first build of an index that began empty. */
  readonly base: OpenGeneration | undefined
  /** Undefined when the index was never written to. Replaced when other parts count. */
  live: OpenLive | undefined
  /** The changes stay open when this view is closed: another view has them now. */
  handOver(): void
  close(): Promise<void>
}

export interface OpenLive {
  readonly state: LiveState
  /** PARTS as it was read, and where the newest log ended: what is newer is read from there on. */
  readonly parts: string
  tail: LogTail
  /** An id as the caller wants it. */
  readonly shown: (id: Id) => GivenId
}

export function makeView(path: string, base: OpenGeneration | undefined, live: OpenLive | undefined): OpenView {
  let isOwner = true
  const view: OpenView = {
    facts: base?.facts ?? emptyFacts(path, live),
    base,
    live,
    handOver() {
      isOwner = false
    },
    async close() {
      await base?.close()
      if (isOwner) for (const { part } of view.live?.state.sealed ?? []) await part.close()
    },
  }
  return view
}

function emptyFacts(path: string, live: OpenLive | undefined): IndexFacts {
  if (live === undefined) throw new Error('an index without a generation has changes')
  const { dimensions, metric, m, quantization, repeatedIds = false } = live.state.settings
  return { path, generation: '', count: 0, repeatedIds, dimensions, metric, m, quantization, bytes: 0 }
}

export function tuningsOf({ base }: OpenView): readonly Tuning[] {
  return base?.tunings ?? []
}

/** Undefined for an index without fields. */
export function fieldsOf({ base, live }: OpenView): readonly Field[] | undefined {
  return live === undefined ? base?.schema : live.state.settings.fields
}

/** @throws PathError when the index has changes only, which have no graph to measure */
export function baseOf({ base, facts }: OpenView): OpenGeneration {
  if (base !== undefined) return base
  throw new PathError(facts.path, 'it has no generation yet: its changes are searched one by one; call compact() first')
}

export function shownBy({ integerIds }: OpenOptions): (id: Id) => GivenId {
  return integerIds === 'bigint' ? bigintId : (id) => id
}
