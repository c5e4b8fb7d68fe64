import { partCrc, type SegmentChecksums } from '../../format/segment/segment-checksums.js'
import type { GridSpec } from '../../rows/grid-spec.js'
import type { RowFile } from '../../rows/file-rows.js'
import type { LongestRows } from '../../tasks/link/link-longest.js'
import { type MergeResult, type MergeTask, MERGE_CHUNK_BYTES } from '../../tasks/link/merge-task.js'
import type { TaskRunner } from '../../tasks/task-runner.js'
import type { Checkpoints } from '../resume/checkpoints.js'
import type { Uses } from '../run/run.js'
import type { LinkedShards } from './layer.js'
import type { SegmentLayout } from './segment-layout.js'

/** Where merged links go: the links segments, or (upper layers) shared memory, rows of 1 + maxDegree words by node. */
export type LinkSink =
  | { readonly kind: 'segments'; readonly paths: readonly string[]; readonly checksums: readonly SegmentChecksums[] }
  | { readonly kind: 'memory'; readonly links: Uint32Array }

export interface MergeShape {
  /** The name of the layer. */
  readonly name: string
  readonly spec: GridSpec
  readonly layout: SegmentLayout
  readonly maxDegree: number
  /** Level 0 of an ip build: the rows to link to, and the vectors segments. */
  readonly longest?: { readonly longestRows: LongestRows; readonly vectors: readonly RowFile[] } | undefined
}

type MergedSegment = MergeResult & { readonly isReused: boolean }

/** Runs one task per segment: it unites the rows, prunes them and writes the links. Returns the sum of all degrees. */
export async function mergeLayer(
  { tasks, log }: Uses<'tasks' | 'log'>,
  shape: MergeShape,
  shards: LinkedShards,
  sink: LinkSink,
  checkpoints?: Checkpoints,
): Promise<number> {
  const { starts } = shape.layout
  const nodeCount = starts[starts.length - 1]
  const countOf = (segment: number): number => starts[segment + 1] - starts[segment]
  const segments = Array.from(shards.rows.keys()).filter((segment) => countOf(segment) > 0)
  let degreeSum = 0
  let done = 0
  await tasks.runAll(
    segments,
    async (segment): Promise<MergedSegment> => {
      const reused = await restoredSegment(tasks, shape, segment, sink, checkpoints)
      return reused ?? mergeOne(tasks, shape, shards, segment, sink)
    },
    (merged, segment) => {
      noteSegment(merged, segment, sink, checkpoints)
      degreeSum += merged.degreeSum
      done += countOf(segment)
      log.progress(done, nodeCount, 'vectors')
    },
  )
  return degreeSum
}

/**
 * Checks and restores a links segment that an interrupted build finished; undefined when there is none, or it is
 * damaged.
 */
async function restoredSegment(
  tasks: TaskRunner,
  { layout: { starts }, maxDegree }: MergeShape,
  segment: number,
  sink: LinkSink,
  checkpoints: Checkpoints | undefined,
): Promise<MergedSegment | undefined> {
  const finished = checkpoints?.segments.get(segment)
  if (checkpoints === undefined || finished === undefined || sink.kind !== 'segments') return undefined
  const firstNode = starts[segment]
  const restored = await checkpoints.restore(tasks, `links segment ${segment}`, {
    part: {
      path: sink.paths[segment],
      segmentStart: firstNode,
      firstNode,
      rows: starts[segment + 1] - firstNode,
      strideBytes: 4 * (1 + maxDegree),
      crc: finished.crc,
    },
    grid: undefined,
    graphRows: undefined,
  })
  return restored && { checksums: restored.checksums, degreeSum: finished.degreeSum, isReused: true }
}

async function mergeOne(
  tasks: TaskRunner,
  { name, spec, layout: { starts }, maxDegree, longest }: MergeShape,
  { rows, grid }: LinkedShards,
  segment: number,
  sink: LinkSink,
): Promise<MergedSegment> {
  const firstNode = starts[segment]
  const count = starts[segment + 1] - firstNode
  const rowBytes = 4 * (1 + maxDegree)
  const refs = await rows[segment].take()
  const task: MergeTask = {
    rows: refs,
    rowBytes: refs.reduce((sum, ref) => sum + (ref.kind === 'memory' ? ref.batch.bytes.length : ref.frameBytes), 0),
    firstNode,
    count,
    spec,
    grid,
    nodeCount: starts[starts.length - 1],
    maxDegree,
    chunkBytes: MERGE_CHUNK_BYTES,
    links: sink.kind === 'segments' ? { path: sink.paths[segment], dataOffset: 0 } : undefined,
    output:
      sink.kind === 'memory' ? new Uint8Array(sink.links.buffer, firstNode * rowBytes, count * rowBytes) : undefined,
    longest: longest && { ...longest, vectors: longest.vectors[segment] },
  }
  const result = await tasks.run('merge', task, `merge segment ${segment} of ${name}`)
  await rows[segment].done(refs)
  return { ...result, isReused: false }
}

function noteSegment(
  { checksums, degreeSum, isReused }: MergedSegment,
  segment: number,
  sink: LinkSink,
  checkpoints: Checkpoints | undefined,
): void {
  if (checksums === undefined || sink.kind !== 'segments') return
  sink.checksums[segment].add(checksums)
  if (checkpoints === undefined) return
  if (isReused) checkpoints.reused.segments++
  else checkpoints.note({ kind: 'segment', segment, crc: partCrc(checksums), degreeSum }, [sink.paths[segment]])
}
