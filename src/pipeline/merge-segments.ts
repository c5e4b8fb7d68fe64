import { MERGE_CHUNK_BYTES } from '../plan/plan-build.js'
import { partCrc, type SegmentChecksums } from '../format/segment/segment-checksums.js'
import type { PlannedContext } from './run/build-context.js'
import type { GridSpec } from '../rows/grid-spec.js'
import type { BuiltShards } from './layer/layer.js'
import type { SegmentLayout } from './layer/segment-layout.js'
import type { MergeTask } from '../tasks/link/merge-task.js'
import type { RestoreTask } from '../tasks/link/restore-task.js'
import type { Checkpoints } from './resume/checkpoints.js'

/** Where merged links go: the links segments, or (upper layers) shared memory, rows of 1 + maxDegree words by node. */
export type LinkSink =
  | { readonly kind: 'segments'; readonly paths: readonly string[]; readonly checksums: readonly SegmentChecksums[] }
  | { readonly kind: 'memory'; readonly links: Uint32Array }

/** One task = one segment: unite its rows, prune, write its links. Returns the sum of all degrees. */
export async function mergeSegments(
  context: PlannedContext,
  shape: { name: string; spec: GridSpec; layout: SegmentLayout; maxDegree: number },
  built: BuiltShards,
  sink: LinkSink,
  checkpoints?: Checkpoints,
): Promise<number> {
  const { starts } = shape.layout
  const segments = Array.from(built.rows.keys()).filter((segment) => starts[segment + 1] > starts[segment])
  let degreeSum = 0
  let done = 0
  await context.pool.runAll(
    segments,
    async (segment) => {
      const firstNode = starts[segment]
      const count = starts[segment + 1] - firstNode
      const stride = 1 + shape.maxDegree
      const finished = checkpoints?.segments.get(segment)
      if (finished !== undefined && sink.kind === 'segments') {
        const { crc, degreeSum } = finished
        const part = {
          path: sink.paths[segment],
          segmentStart: firstNode,
          firstNode,
          rows: count,
          strideBytes: 4 * stride,
          crc,
        }
        const restore: RestoreTask = { part, codes: undefined, graphRows: undefined }
        const restored = await context.pool.run('restore', restore, `check links segment ${segment}`)
        if (restored !== undefined) return { checksums: restored.checksums, degreeSum, restored: true }
        checkpoints?.redo(`links segment ${segment}`)
      }
      const rows = await built.rows[segment].take()
      const task: MergeTask = {
        rows,
        rowBytes: rows.reduce((sum, ref) => sum + (ref.kind === 'memory' ? ref.batch.bytes.length : ref.frameBytes), 0),
        firstNode,
        count,
        spec: shape.spec,
        codes: built.codes,
        nodeCount: starts[starts.length - 1],
        maxDegree: shape.maxDegree,
        chunkBytes: MERGE_CHUNK_BYTES,
        links: sink.kind === 'segments' ? { path: sink.paths[segment], dataOffset: 0 } : undefined,
        output:
          sink.kind === 'memory'
            ? new Uint8Array(sink.links.buffer, 4 * firstNode * stride, 4 * count * stride)
            : undefined,
      }
      const result = await context.pool.run('merge', task, `merge segment ${segment} of ${shape.name}`)
      await built.rows[segment].done(rows)
      return { ...result, restored: false }
    },
    ({ checksums, degreeSum: degrees, restored }, segment) => {
      if (checksums !== undefined && sink.kind === 'segments') {
        sink.checksums[segment].add(checksums)
        if (restored && checkpoints !== undefined) checkpoints.reused.segments++
        else {
          checkpoints?.note({ kind: 'segment', segment, crc: partCrc(checksums), degreeSum: degrees }, [
            sink.paths[segment],
          ])
        }
      }
      degreeSum += degrees
      done += starts[segment + 1] - starts[segment]
      context.log.progress(done, starts[starts.length - 1], 'vectors')
    },
  )
  return degreeSum
}
