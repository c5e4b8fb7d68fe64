/** Finished shards and links segments: noted in the journal, and found there by the build that goes on. */
import type { Quality } from '../../api/report.js'
import type { NumberedLayer, RoutedLayer } from '../layer/layer.js'
import type { RestoreResult, RestoreTask } from '../../tasks/link/restore-task.js'
import type { WorkerPool } from '../../tasks/worker-pool.js'
import type { Uses } from '../run/run.js'
import type { SegmentEntry, ShardEntry } from './journal.js'
import type { ReusedWork } from './resume.js'
import { crc32 } from '../../../spill/files/crc32.js'

/**
 * Stands for where every vector goes and how shards are built. Leaders, codes and numbers are computed again by a build
 * that goes on; when this agrees, finished shards and segments are what this build would make.
 */
export function routingDigest(routed: RoutedLayer, numbered: NumberedLayer, quality: Quality): number {
  const { mean, ...rest } = routed.layer.spec
  let crc = crc32(Buffer.from(JSON.stringify({ ...rest, quality, overlap: routed.layer.geometry.overlap })))
  const { layout, nodeOfOrdinal } = numbered
  for (const words of [mean, routed.homeCounts, routed.replicaCounts, layout.starts, layout.shardStarts, nodeOfOrdinal])
    crc = crc32(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), crc)
  return crc
}

/** Finished shards and segments of the base layer, when they are of this routing; and where new ones are noted. */
export interface Checkpoints {
  readonly shards: ReadonlyMap<number, ShardEntry>
  readonly segments: ReadonlyMap<number, SegmentEntry>
  readonly reused: ReusedWork
  /** Checks one checkpoint and brings back what follows from it. Undefined, and said, when its files are damaged. */
  restore(threads: WorkerPool, what: string, task: RestoreTask): Promise<RestoreResult>
  note(entry: ShardEntry | SegmentEntry, files: readonly string[]): void
}

const NONE = new Map<number, never>()

export function openCheckpoints(
  { resume, paths, log }: Uses<'resume' | 'paths' | 'log'>,
  digestOf: () => number,
): Checkpoints | undefined {
  if (resume === undefined) return undefined
  const { journal, finished, reused } = resume
  const digest = digestOf()
  const same = finished?.routing?.digest === digest
  const counted = (finished?.shards.size ?? 0) + (finished?.segments.size ?? 0)
  if (!same) {
    if (counted > 0) {
      log.event(
        'resume-partly',
        `${counted} finished shards and segments are made again: this build divides the vectors in another way than the ` +
          `interrupted one did, which had more or less memory`,
      )
    }
    journal.append({ kind: 'routing', digest }, [])
  }
  return {
    shards: same ? finished.shards : NONE,
    segments: same ? finished.segments : NONE,
    reused,
    restore: async (threads, what, task) => {
      const restored = await threads.run('restore', task, `check ${what}`)
      if (restored === undefined) {
        log.event('resume-partly', `${what} is made again: its files are not what was written`)
      }
      return restored
    },
    note: (entry, files) => journal.append(entry, files, [paths.spillDir, paths.generationDir]),
  }
}
