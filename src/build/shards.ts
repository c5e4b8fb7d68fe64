import { closeSync, ftruncateSync, openSync } from 'node:fs'
import type { SegmentChecksums } from '../format/segment-checksums.js'
import { graphRowBytes } from '../memory/plan-build.js'
import type { Quality } from '../types.js'
import { acquireOutput, codesPath, disposeQueue, openQueue, type PlannedContext } from './build-context.js'
import { codeRowBytes } from './code-spec.js'
import type { CodeStore } from './code-store.js'
import { FanOut } from './fan-out.js'
import type { BuiltShards, NumberedLayer, RoutedLayer } from './layer.js'
import { rangeOf } from './segment-layout.js'
import type { ShardResult, ShardTask } from './tasks/shard-task.js'

/** The vectors segments that the shards fill, by segment. */
export interface VectorSink {
  readonly paths: readonly string[]
  readonly checksums: readonly SegmentChecksums[]
}

/**
 * One task = one shard: its graph, and its home vectors and codes at their final place. Largest shards first, so that
 * no worker sits on a large one at the end while the others wait.
 */
export async function buildShards(
  context: PlannedContext,
  routed: RoutedLayer,
  { layout, nodeOfOrdinal }: NumberedLayer,
  { quality, vectors }: { quality: Quality; vectors: VectorSink | undefined },
): Promise<BuiltShards> {
  const { options, pool } = context
  const { layer } = routed
  const vectorCount = layout.shardStarts[routed.shardCount]
  const codes = await openCodeStore(context, layer.name, vectorCount, codeRowBytes(layer.spec))
  const rows = Array.from({ length: layout.starts.length - 1 }, (_, i) =>
    openQueue<null>(context, `${layer.name}-rows-${i}`),
  )
  const out = new FanOut<null>({ queues: rows, header: null, buffers: context.buffers, batchBytes: context.batchBytes })
  const membersOf = (shard: number): number => routed.homeCounts[shard] + routed.replicaCounts[shard]
  const order = Array.from(routed.homeCounts.keys())
    .filter((shard) => routed.homeCounts[shard] > 0)
    .sort((a, b) => membersOf(b) - membersOf(a) || a - b)
  let done = 0

  await pool.runAll(
    order,
    async (shard) => {
      const homes = await routed.homes[shard].handOff()
      const replicas = await routed.replicas[shard].handOff()
      const firstNode = layout.shardStarts[shard]
      const segment = rangeOf(layout.starts, firstNode)
      const output = acquireOutput(context, membersOf(shard) * graphRowBytes(2 * options.m))
      const task: ShardTask = {
        homes,
        replicas,
        homeKind: layer.rowKind,
        homeCount: routed.homeCounts[shard],
        replicaCount: routed.replicaCounts[shard],
        spec: layer.spec,
        firstNode,
        nodeOfOrdinal,
        engine: options.engine,
        quality,
        m: options.m,
        seed: options.seed,
        codes,
        vectors: vectors && {
          path: vectors.paths[segment],
          dataOffset: (firstNode - layout.starts[segment]) * 4 * layer.spec.dimensions,
        },
        segmentStarts: layout.starts,
        runBytes: context.batchBytes / 4,
        output,
      }
      const result = await pool.run<ShardResult>(
        'shard',
        task,
        `shard ${shard} of ${layer.name} (${membersOf(shard)} members)`,
      )
      await routed.homes[shard].release(homes)
      await routed.replicas[shard].release(replicas)
      await disposeQueue(context, routed.homes[shard])
      await disposeQueue(context, routed.replicas[shard])
      return { result, output, segment }
    },
    async ({ result, output, segment }, shard) => {
      if (result.checksums !== undefined) vectors?.checksums[segment].add(result.checksums)
      let at = 0
      for (const run of result.runs) {
        await out.append(run.segment, output.subarray(at, at + run.bytes), run.rows)
        at += run.bytes
      }
      context.outputs.release(output)
      done += routed.homeCounts[shard]
      context.log.progress(done, vectorCount, 'vectors')
    },
  )
  await out.flush()
  return { rows, codes }
}

async function openCodeStore(
  context: PlannedContext,
  layer: string,
  count: number,
  rowBytes: number,
): Promise<CodeStore> {
  if (context.plan.codesInMemory) {
    return { kind: 'memory', rowBytes, bytes: new Uint8Array(new SharedArrayBuffer(count * rowBytes)) }
  }
  const path = codesPath(context.paths, layer)
  const file = openSync(path, 'w')
  try {
    ftruncateSync(file, count * rowBytes)
  } finally {
    closeSync(file)
  }
  return { kind: 'file', rowBytes, path }
}
