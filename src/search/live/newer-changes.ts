/** What a generation contains of the changes that lie on it, and what it does not. */
import type { Id } from '../../api/vectors.js'
import { sequenceOf } from '../../format/live/log-change.js'
import { readDeletes } from '../../format/live/read-deletes.js'
import type { LiveState } from './live-state.js'

/** Ids that were changed after `sequence`, by what is sealed and in memory. @throws CorruptIndexError, PathError */
export async function* newerIds(indexDir: string, state: LiveState, sequence: number): AsyncGenerator<Id, void, void> {
  for (const { part, alive, entry } of state.sealed) {
    if (entry.lastSequence <= sequence) continue
    for (const row of alive.nodes()) if (part.sequenceOf(row) > sequence) yield part.idOf(row)
    for await (const change of readDeletes(indexDir, entry, state.settings)) {
      for (const [at, id] of change.ids.entries()) if (sequenceOf(change, at) > sequence) yield id
    }
  }
  for (const { part, alive } of state.memories) {
    for (const row of alive.nodes()) if (part.sequenceOf(row) > sequence) yield part.idOf(row)
    for (const [id, deleted] of part.deletes) if (deleted > sequence) yield id
  }
}

/** Rows that came up to `sequence` are dead: the generation has them, or what replaced them. */
export function killOlder({ sealed, memories }: LiveState, sequence: number): void {
  for (const { part, alive } of [...sealed, ...memories]) {
    for (const row of alive.nodes()) if (part.sequenceOf(row) <= sequence) alive.kill(row)
  }
}
