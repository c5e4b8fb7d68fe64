/** Collects the graph rows of the shards by segment, for merge. */
import type { ShardResult, ShardRows } from '../../tasks/link/shard-task.js'
import type { Uses } from '../run/run.js'
import { FanOut } from './fan-out.js'
import type { RowsOfSegment } from './layer.js'

export interface RowCollector {
  add(shard: Pick<ShardResult, 'stored' | 'runs'>, output: Uint8Array | undefined): Promise<void>
  end(): Promise<RowsOfSegment[]>
}

/** Collects rows in one queue per segment. */
export function queuedRows({ queues }: Uses<'queues'>, layer: string, segmentCount: number): RowCollector {
  const bySegment = Array.from({ length: segmentCount }, (_, i) => queues.open<null>(`${layer}-rows-${i}`))
  const out = new FanOut(bySegment, queues)
  return {
    add: async ({ runs }, output = new Uint8Array(0)) => {
      let at = 0
      for (const run of runs) {
        await out.append(run.segment, output.subarray(at, at + run.bytes), run.rows)
        at += run.bytes
      }
    },
    end: async () => {
      await out.flush()
      return bySegment.map((queue) => ({
        take: () => queue.handOff(),
        done: async (refs) => {
          await queue.release(refs)
          await queues.dispose(queue)
        },
      }))
    },
  }
}

/**
 * Leaves rows in the files of the shards. The files stay until the index is published, because a resumed build needs
 * them.
 */
export function storedRows(segmentCount: number): RowCollector {
  const bySegment = Array.from({ length: segmentCount }, (): ShardRows['ref'][] => [])
  return {
    add: async ({ stored }) => {
      for (const { segment, ref } of stored) bySegment[segment].push(ref)
    },
    end: async () => bySegment.map((refs) => ({ take: async () => refs, done: async () => undefined })),
  }
}
