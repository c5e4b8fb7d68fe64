import { closeSync, ftruncateSync, openSync } from 'node:fs'
import path from 'node:path'
import { writeFailure } from '../format/bytes/file-errors.js'
import { partCrc, type PartChecksums, type SegmentChecksums } from '../format/segment/segment-checksums.js'
import { graphRowBytes } from '../plan/plan-build.js'
import type { Quality } from '../api/report.js'
import { acquireOutput, gridPath, disposeQueue, openQueue, type PlannedContext } from './run/build-context.js'
import { gridRowBytes } from '../rows/grid-spec.js'
import type { GridStore } from '../rows/grid-store.js'
import { FanOut } from './layer/fan-out.js'
import type { BuiltShards, NumberedLayer, RoutedLayer, RowsOfSegment } from './layer/layer.js'
import { rangeOf } from './layer/segment-layout.js'
import type { RestoreTask } from '../tasks/link/restore-task.js'
import type { ShardResult, ShardRows, ShardTask } from '../tasks/link/shard-task.js'
import type { Checkpoints } from './resume/checkpoints.js'

/** The vectors segments that the shards fill, by segment. */
export interface VectorSink {
  readonly paths: readonly string[]
  readonly checksums: readonly SegmentChecksums[]
}

/**
 * One task = one shard: its graph, and its home vectors and codes at their final place. Largest shards first, so that
 * no worker sits on a large one at the end while the others wait. With `checkpoints`, a finished shard of an interrupted build
 * is taken over, and graph rows go to a file for each shard, from which merge reads them.
 */
export async function linkShards(
  context: PlannedContext,
  routed: RoutedLayer,
  { layout, nodeOfOrdinal }: NumberedLayer,
  {
    quality,
    vectors,
    checkpoints,
  }: { quality: Quality; vectors: VectorSink | undefined; checkpoints?: Checkpoints | undefined },
): Promise<BuiltShards> {
  const { options, pool } = context
  const { layer } = routed
  const vectorCount = layout.shardStarts[routed.shardCount]
  const codes = await openGridStore(context, layer.name, vectorCount, gridRowBytes(layer.spec))
  const segmentCount = layout.starts.length - 1
  const collected = checkpoints === undefined ? queuedRows(context, layer.name, segmentCount) : storedRows(segmentCount)
  const membersOf = (shard: number): number => routed.homeCounts[shard] + routed.replicaCounts[shard]
  const order = Array.from(routed.homeCounts.keys())
    .filter((shard) => routed.homeCounts[shard] > 0)
    .sort((a, b) => membersOf(b) - membersOf(a) || a - b)
  let done = 0

  await pool.runAll(
    order,
    async (shard): Promise<FinishedShard> => {
      const firstNode = layout.shardStarts[shard]
      const segment = rangeOf(layout.starts, firstNode)
      const rowsPath = checkpoints && path.join(context.paths.spillDir, `${layer.name}-graph-${shard}.rows`)
      const finished = checkpoints?.shards.get(shard)
      if (finished !== undefined && rowsPath !== undefined && vectors !== undefined) {
        const restore: RestoreTask = {
          part: {
            path: vectors.paths[segment],
            segmentStart: layout.starts[segment],
            firstNode,
            rows: routed.homeCounts[shard],
            strideBytes: 4 * layer.spec.dimensions,
            crc: finished.crc,
          },
          codes: { spec: layer.spec, store: codes },
          graphRows: { path: rowsPath, bytes: finished.rowsBytes },
        }
        const restored = await pool.run('restore', restore, `check shard ${shard}`)
        if (restored !== undefined) {
          await disposeQueue(context, routed.homes[shard])
          await disposeQueue(context, routed.replicas[shard])
          return { checksums: restored.checksums, stored: restored.rows, runs: [], segment, built: undefined }
        }
        checkpoints?.redo(`shard ${shard}`)
      }
      const homes = await routed.homes[shard].handOff()
      const replicas = await routed.replicas[shard].handOff()
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
        runBytes: rowsPath === undefined ? context.batchBytes / 4 : context.batchBytes,
        output,
        rowsPath,
      }
      const result = await pool.run('shard', task, `shard ${shard} of ${layer.name} (${membersOf(shard)} members)`)
      await routed.homes[shard].release(homes)
      await routed.replicas[shard].release(replicas)
      await disposeQueue(context, routed.homes[shard])
      await disposeQueue(context, routed.replicas[shard])
      return { ...result, segment, built: { output, rowsPath } }
    },
    async ({ checksums, runs, stored, segment, built }, shard) => {
      if (checksums !== undefined) vectors?.checksums[segment].add(checksums)
      await collected.add(stored, runs, built?.output)
      if (built !== undefined) context.outputs.release(built.output)
      noteShard(checkpoints, {
        shard,
        checksums,
        stored,
        rowsPath: built?.rowsPath,
        vectorsPath: vectors?.paths[segment],
      })
      done += routed.homeCounts[shard]
      context.log.progress(done, vectorCount, 'vectors')
    },
  )
  return { rows: await collected.end(), codes }
}

type FinishedShard = ShardResult & {
  readonly segment: number
  /** Undefined for one that was taken over. */
  readonly built: { readonly output: Uint8Array; readonly rowsPath: string | undefined } | undefined
}

function noteShard(
  checkpoints: Checkpoints | undefined,
  shard: {
    shard: number
    checksums: PartChecksums | undefined
    stored: readonly ShardRows[]
    rowsPath: string | undefined
    vectorsPath: string | undefined
  },
): void {
  if (checkpoints === undefined) return
  const { checksums, stored, rowsPath, vectorsPath } = shard
  if (rowsPath === undefined || checksums === undefined || vectorsPath === undefined) {
    checkpoints.reused.shards++
    return
  }
  const rowsBytes = stored.reduce((sum, { ref }) => sum + ref.frameBytes, 0)
  checkpoints.note({ kind: 'shard', shard: shard.shard, crc: partCrc(checksums), rowsBytes }, [vectorsPath, rowsPath])
}

/** Graph rows as they come from the shards, gathered by segment. */
interface RowCollector {
  add(stored: readonly ShardRows[], runs: ShardResult['runs'], output: Uint8Array | undefined): Promise<void>
  end(): Promise<RowsOfSegment[]>
}

function queuedRows(context: PlannedContext, layer: string, segmentCount: number): RowCollector {
  const queues = Array.from({ length: segmentCount }, (_, i) => openQueue<null>(context, `${layer}-rows-${i}`))
  const { buffers, batchBytes } = context
  const out = new FanOut<null>({ queues, header: null, buffers, batchBytes })
  return {
    add: async (_, runs, output = new Uint8Array(0)) => {
      let at = 0
      for (const run of runs) {
        await out.append(run.segment, output.subarray(at, at + run.bytes), run.rows)
        at += run.bytes
      }
    },
    end: async () => {
      await out.flush()
      return queues.map((queue) => ({
        take: () => queue.handOff(),
        done: async (refs) => {
          await queue.release(refs)
          await disposeQueue(context, queue)
        },
      }))
    },
  }
}

/** The files stay until the index is published: whoever goes on needs them. */
function storedRows(segmentCount: number): RowCollector {
  const bySegment = Array.from({ length: segmentCount }, (): ShardRows['ref'][] => [])
  return {
    add: async (stored) => {
      for (const { segment, ref } of stored) bySegment[segment].push(ref)
    },
    end: async () => bySegment.map((refs) => ({ take: async () => refs, done: async () => undefined })),
  }
}

async function openGridStore(
  context: PlannedContext,
  layer: string,
  count: number,
  rowBytes: number,
): Promise<GridStore> {
  if (context.plan.gridInMemory) {
    return { kind: 'memory', rowBytes, bytes: new Uint8Array(new SharedArrayBuffer(count * rowBytes)) }
  }
  const path = gridPath(context.paths, layer)
  try {
    const file = openSync(path, 'w')
    try {
      ftruncateSync(file, count * rowBytes)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw writeFailure(path, count * rowBytes, error)
  }
  return { kind: 'file', rowBytes, path }
}
