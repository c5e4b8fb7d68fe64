import type { LiveFacts } from '../../api/live.js'
import type { OpenView } from '../view/open-view.js'
import type { LiveState } from './live-state.js'

type StateFacts = Pick<
  LiveFacts,
  'parts' | 'partRows' | 'memoryRows' | 'baseRows' | 'deadRows' | 'sequence' | 'logBytes'
>

/** What a state holds besides its last build. `logBytes`: of the newest log. */
export function stateFacts(state: LiveState, logBytes: number): StateFacts {
  return {
    parts: state.sealed.length,
    partRows: state.sealed.reduce((sum, { part }) => sum + part.rows, 0),
    memoryRows: state.memories.reduce((sum, { part }) => sum + part.rows, 0),
    baseRows: state.base?.part.rows ?? 0,
    deadRows: state.base?.alive.dead ?? 0,
    logBytes,
    sequence: state.lastSequence,
  }
}

const NO_WORK = { seals: 0, merges: 0, compactions: 0, waits: 0, failures: 0 }

/** Of an index that is open for reading, which does no work of its own. */
export function viewFacts({ base, facts, live }: OpenView): LiveFacts {
  if (live !== undefined) return { ...stateFacts(live.state, live.tail.end.end), ...NO_WORK }
  const sequence = base?.liveSequence ?? 0
  return { parts: 0, partRows: 0, memoryRows: 0, baseRows: facts.count, deadRows: 0, logBytes: 0, sequence, ...NO_WORK }
}
