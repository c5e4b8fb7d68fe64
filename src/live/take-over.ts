/** A new generation under the changes: those that it contains go, the others stay on top. */
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { Id } from '../api/vectors.js'
import { DELETES_NAME, liveFolder } from '../format/live/live-paths.js'
import { logChanges } from '../format/live/read-log.js'
import { AliveRows } from '../search/live/alive-rows.js'
import { GraphPart } from '../search/live/graph-part.js'
import { killIn, type LiveState } from '../search/live/live-state.js'
import { assertSameShape } from '../search/live/load-live.js'
import type { Part } from '../search/live/part.js'
import type { OpenGeneration } from '../search/open-generation.js'

/** Ids looked up before other work of the thread gets a turn. */
const SLICE_IDS = 256

/**
 * Puts `base` under the changes of `state`. Ids are looked up in it first, in slices; changes that are applied meanwhile
 * are `changed` (which grows as they are). Returns the parts that are not needed any more.
 */
export async function takeOver(
  indexDir: string,
  state: LiveState,
  base: OpenGeneration,
  changed: readonly Id[],
): Promise<readonly Part[]> {
  const { liveSequence } = base
  assertSameShape(indexDir, state.settings, base)
  const part = new GraphPart(base.facts.generation, base, liveSequence)
  const alive = new AliveRows(part.rows)
  const kill = (id: Id): void => {
    killIn([{ part, alive }], id, base.facts)
  }
  let slice = 0
  for await (const id of newerIds(indexDir, state, liveSequence)) {
    kill(id)
    if (++slice % SLICE_IDS === 0) await setImmediate()
  }
  for (const id of changed) kill(id)
  const dropped = state.sealed.filter(({ entry }) => entry.lastSequence <= liveSequence)
  state.sealed = state.sealed.filter(({ entry }) => entry.lastSequence > liveSequence)
  for (const { part: changes, alive: rows } of [...state.sealed, ...state.memories]) {
    for (const row of rows.nodes()) if (changes.sequenceOf(row) <= liveSequence) rows.kill(row)
  }
  state.replaceBase({ part, alive }, liveSequence)
  return dropped.map(({ part: old }) => old)
}

/** Ids that were changed after the generation was begun. */
async function* newerIds(indexDir: string, state: LiveState, liveSequence: number): AsyncGenerator<Id> {
  for (const { part, alive, entry } of state.sealed) {
    if (entry.lastSequence <= liveSequence) continue
    for (const row of alive.nodes()) if (part.sequenceOf(row) > liveSequence) yield part.idOf(row)
    if (entry.deletes === 0) continue
    const { dimensions, metric } = state.settings
    const path = join(liveFolder(indexDir), entry.name, DELETES_NAME)
    for await (const { ids, firstSequence, sequences } of logChanges(path, { dimensions, metric, sealed: true })) {
      for (const [at, id] of ids.entries()) if ((sequences?.[at] ?? firstSequence + at) > liveSequence) yield id
    }
  }
  for (const { part, alive } of state.memories) {
    for (const row of alive.nodes()) if (part.sequenceOf(row) > liveSequence) yield part.idOf(row)
    for (const [id, sequence] of part.deletes) if (sequence > liveSequence) yield id
  }
}
