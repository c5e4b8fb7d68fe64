/** A new generation under the changes: those that it contains go, the others stay on top. */
import { setImmediate } from 'node:timers/promises'
import type { Id } from '../api/vectors.js'
import { AliveRows } from '../search/live/alive-rows.js'
import { GraphPart } from '../search/live/graph-part.js'
import { killIn, type LiveState } from '../search/live/live-state.js'
import { assertSameShape } from '../search/live/load-live.js'
import { killOlder, newerIds } from '../search/live/newer-changes.js'
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
  killOlder(state, liveSequence)
  state.replaceBase({ part, alive }, liveSequence)
  return dropped.map(({ part: old }) => old)
}
