import { MERGE_CHUNK_BYTES } from '../memory/plan-build.js'
import { disposeQueue, type PlannedContext } from './build-context.js'
import type { CodeSpec } from './code-spec.js'
import type { BuiltShards } from './layer.js'
import type { SegmentChecksums } from '../format/segment-checksums.js'
import type { SegmentLayout } from './segment-layout.js'
import type { MergeResult, MergeTask } from './tasks/merge-task.js'

/** Where merged links go: the links segments, or (upper layers) shared memory, rows of 1 + maxDegree words by node. */
export type LinkSink =
  | { readonly kind: 'segments'; readonly paths: readonly string[]; readonly checksums: readonly SegmentChecksums[] }
  | { readonly kind: 'memory'; readonly links: Uint32Array }

/** One task = one segment: unite its rows, prune, write its links. Returns the sum of all degrees. */
export async function mergeSegments(
  context: PlannedContext,
  shape: { name: string; spec: CodeSpec; layout: SegmentLayout; maxDegree: number },
  built: BuiltShards,
  sink: LinkSink,
): Promise<number> {
  const { starts } = shape.layout
  const segments = Array.from(built.rows.keys()).filter((segment) => starts[segment + 1] > starts[segment])
  let degreeSum = 0
  let done = 0
  await context.pool.runAll(
    segments,
    async (segment) => {
      const queue = built.rows[segment]
      const rows = await queue.handOff()
      const firstNode = starts[segment]
      const count = starts[segment + 1] - firstNode
      const stride = 1 + shape.maxDegree
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
      const result = await context.pool.run<MergeResult>('merge', task, `merge segment ${segment} of ${shape.name}`)
      await queue.release(rows)
      await disposeQueue(context, queue)
      return result
    },
    (result, segment) => {
      if (result.checksums !== undefined && sink.kind === 'segments') sink.checksums[segment].add(result.checksums)
      degreeSum += result.degreeSum
      done += starts[segment + 1] - starts[segment]
      context.log.progress(done, starts[starts.length - 1], 'vectors')
    },
  )
  return degreeSum
}
