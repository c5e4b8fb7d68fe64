import type { LiveFacts } from '../../api/live.js'
import { exposition, type Gauge } from './exposition.js'

const PREFIX = 'shardloom_live_'

/**
 * What an index holds besides its last build, in the text format of Prometheus: `liveMetrics(index.live, index.path)`.
 * Every sample has the label `index`, the path.
 */
export function liveMetrics(facts: LiveFacts, path: string): string {
  return exposition(
    [
      gauge('base_rows', 'Vectors in the last build.', facts.baseRows),
      gauge('dead_rows', 'Vectors of the last build that were deleted or replaced since.', facts.deadRows),
      gauge('parts', 'Sealed parts of changes.', facts.parts),
      gauge('part_rows', 'Rows in sealed parts.', facts.partRows),
      gauge('memory_rows', 'Rows in memory, which are in the log alone.', facts.memoryRows),
      gauge('log_size_bytes', 'Bytes of the newest log, which is read when the index is opened.', facts.logBytes),
      // It goes on when the process ends, and a copy of an index may go back.
      gauge('last_sequence', 'Number of the last change.', facts.sequence),
      counter('seals', 'Parts that were sealed since the index was opened.', facts.seals),
      counter('merges', 'Merges of parts since the index was opened.', facts.merges),
      counter('compactions', 'Compactions since the index was opened.', facts.compactions),
      counter('write_waits', 'Times that writes waited for parts to be sealed.', facts.waits),
      counter('maintenance_failures', 'Seals and merges that failed, and are tried again.', facts.failures),
    ],
    { index: path },
  )
}

function gauge(name: string, help: string, value: number): Gauge {
  return { name: PREFIX + name, help, samples: [{ value }] }
}

function counter(name: string, help: string, value: number): Gauge {
  return { ...gauge(`${name}_total`, help, value), type: 'counter' }
}
