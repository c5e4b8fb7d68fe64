/** Finished shards and links segments. A build records them in the journal, and a resumed build finds them there. */
import type { Quality } from '../../api/report.js'
import type { NumberedLayer, RoutedLayer } from '../layer/layer.js'
import type { RestoreResult, RestoreTask } from '../../tasks/link/restore-task.js'
import type { TaskRunner } from '../../tasks/task-runner.js'
import type { Uses } from '../run/run.js'
import type { SegmentEntry, ShardEntry } from './journal.js'
import type { ReusedWork } from './resume.js'
import { crc32 } from '../../../spill/files/crc32.js'

/**
 * A digest of where every vector goes and how shards are built. A resumed build computes leaders, codes and numbers
 * again. When the digest matches, finished shards and segments are what this build would make.
 */
export function routingDigest(routed: RoutedLayer, numbered: NumberedLayer, quality: Quality): number {
  const { mean, ...rest } = routed.layer.spec
  let crc = crc32(Buffer.from(JSON.stringify({ ...rest, quality, overlap: routed.layer.geometry.overlap })))
  const { layout, nodeOfOrdinal } = numbered
  for (const words of [mean, routed.homeCounts, routed.replicaCounts, layout.starts, layout.shardStarts, nodeOfOrdinal])
    crc = crc32(new Uint8Array(words.buffer, words.byteOffset, words.byteLength), crc)
  return crc
}

/** Gives the finished shards and segments of the base layer when they match this routing, and records new ones. */
export interface Checkpoints {
  readonly shards: ReadonlyMap<number, ShardEntry>
  readonly segments: ReadonlyMap<number, SegmentEntry>
  readonly reused: ReusedWork
  /**
   * Checks one checkpoint and restores the state that follows from it. Logs an event and returns undefined when its
   * files are damaged.
   */
  restore(tasks: TaskRunner, what: string, task: RestoreTask): Promise<RestoreResult>
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
    restore: async (tasks, what, task) => {
      const restored = await tasks.run('restore', task, `check ${what}`)
      if (restored === undefined) {
        log.event('resume-partly', `${what} is made again: its files are not what was written`)
      }
      return restored
    },
    note: (entry, files) => journal.append(entry, files, [paths.spillDir, paths.generationDir]),
  }
}
