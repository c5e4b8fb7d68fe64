import path from 'node:path'
import type { Quality } from '../../api/report.js'
import { partCrc, type SegmentChecksums } from '../../format/segment/segment-checksums.js'
import { gridRowBytes } from '../../rows/grid-spec.js'
import { openGridStore, type GridStore } from '../../rows/grid-store.js'
import type { ShardResult } from '../../tasks/link/shard-task.js'
import type { Filled, WithoutOutput } from '../../tasks/task-runner.js'
import type { Checkpoints } from '../resume/checkpoints.js'
import { gridPath, type PlannedRun } from '../run/run.js'
import { queuedRows, storedRows } from './collect-rows.js'
import type { LinkedShards, NumberedLayer, RoutedLayer } from './layer.js'
import { rangeOf } from './segment-layout.js'
import { graphRowBytes } from '../../plan/graph-row-bytes.js'

/** The vectors segments that the shards fill, by segment. */
export interface VectorSink {
  readonly paths: readonly string[]
  readonly checksums: readonly SegmentChecksums[]
}

export interface ShardOptions {
  readonly quality: Quality
  /** Absent on upper layers: only level 0 has vectors. */
  readonly vectors?: VectorSink
  /** In a build that can be resumed: finished shards are reused, and graph rows go to one file per shard. */
  readonly checkpoints?: Checkpoints | undefined
}

/** The place of one shard in the layer. */
interface ShardPlace {
  readonly shard: number
  readonly segment: number
  readonly firstNode: number
  readonly memberCount: number
  /** Present in a build that can be resumed. */
  readonly rowsPath: string | undefined
}

interface FinishedShard {
  readonly result: Pick<ShardResult, 'checksums' | 'runs' | 'stored'>
  readonly place: ShardPlace
  /** Undefined for a shard of an interrupted build. */
  readonly filled: Filled<ShardResult> | undefined
}

/**
 * Runs one task per shard. It builds the shard's graph, and writes its home vectors and grid rows to their final place.
 * The largest shards come first, so that the other workers do not wait for a large one at the end.
 */
export async function linkLayerShards(
  run: PlannedRun,
  routed: RoutedLayer,
  numbered: NumberedLayer,
  options: ShardOptions,
): Promise<LinkedShards> {
  const { layer, homeCounts } = routed
  const { layout } = numbered
  run.tasks.share(numbered.nodeOfOrdinal)
  const vectorCount = layout.shardStarts[routed.shardCount]
  const gridFile = run.plan.gridInMemory ? undefined : gridPath(run.paths, layer.name)
  const grid = openGridStore(vectorCount, gridRowBytes(layer.spec), gridFile)
  const segmentCount = layout.starts.length - 1
  const rows = options.checkpoints === undefined ? queuedRows(run, layer.name, segmentCount) : storedRows(segmentCount)
  let done = 0

  await run.tasks.runAll(
    shardsBySize(run, routed, numbered, options),
    async (place) =>
      (await restoredShard(run, routed, numbered, { place, grid, ...options })) ??
      linkShard(run, routed, numbered, { place, grid, ...options }),
    async (finished) => {
      const { place, result, filled } = finished
      if (result.checksums !== undefined) options.vectors?.checksums[place.segment].add(result.checksums)
      await rows.add(result, filled?.output)
      filled?.release()
      noteShard(options, finished)
      done += homeCounts[place.shard]
      run.log.progress(done, vectorCount, 'vectors')
    },
  )
  return { rows: await rows.end(), grid }
}

function shardsBySize(
  { paths }: Pick<PlannedRun, 'paths'>,
  { layer, homeCounts, replicaCounts }: RoutedLayer,
  { layout }: NumberedLayer,
  { checkpoints }: ShardOptions,
): ShardPlace[] {
  const places: ShardPlace[] = []
  for (const [shard, homeCount] of homeCounts.entries()) {
    if (homeCount === 0) continue
    const firstNode = layout.shardStarts[shard]
    places.push({
      shard,
      firstNode,
      segment: rangeOf(layout.starts, firstNode),
      memberCount: homeCount + replicaCounts[shard],
      rowsPath: checkpoints && path.join(paths.spillDir, `${layer.name}-graph-${shard}.rows`),
    })
  }
  return places.sort((a, b) => b.memberCount - a.memberCount || a.shard - b.shard)
}

type OneShard = ShardOptions & { readonly place: ShardPlace; readonly grid: GridStore }

/** Checks and restores a shard that an interrupted build finished; undefined when there is none, or it is damaged. */
async function restoredShard(
  { tasks, queues }: PlannedRun,
  { layer, homes, replicas, homeCounts }: RoutedLayer,
  { layout }: NumberedLayer,
  { place, grid, vectors, checkpoints }: OneShard,
): Promise<FinishedShard | undefined> {
  const { shard, segment, firstNode, rowsPath } = place
  const finished = checkpoints?.shards.get(shard)
  if (checkpoints === undefined || finished === undefined || rowsPath === undefined || vectors === undefined) {
    return undefined
  }
  const restored = await checkpoints.restore(tasks, `shard ${shard}`, {
    part: {
      path: vectors.paths[segment],
      segmentStart: layout.starts[segment],
      firstNode,
      rows: homeCounts[shard],
      strideBytes: 4 * layer.spec.dimensions,
      crc: finished.crc,
    },
    grid: { spec: layer.spec, store: grid },
    graphRows: { path: rowsPath, bytes: finished.rowsBytes },
  })
  if (restored === undefined) return undefined
  await queues.dispose(homes[shard])
  await queues.dispose(replicas[shard])
  return { result: { checksums: restored.checksums, stored: restored.rows, runs: [] }, place, filled: undefined }
}

async function linkShard(
  { options, queues, tasks }: PlannedRun,
  routed: RoutedLayer,
  { layout, nodeOfOrdinal }: NumberedLayer,
  { place, grid, quality, vectors }: OneShard,
): Promise<FinishedShard> {
  const { layer } = routed
  const { shard, segment, firstNode, memberCount, rowsPath } = place
  const { m, seed, engine } = options
  const [homes, replicas] = [routed.homes[shard], routed.replicas[shard]]
  const homeRefs = await homes.handOff()
  const replicaRefs = await replicas.handOff()
  const task: WithoutOutput<'shard'> = {
    spec: layer.spec,
    engine,
    quality,
    m,
    seed,
    homes: { refs: homeRefs, count: routed.homeCounts[shard], kind: layer.rowKind },
    replicas: { refs: replicaRefs, count: routed.replicaCounts[shard], kind: 'grid' },
    firstNode,
    nodeOfOrdinal,
    grid,
    vectors: vectors && {
      path: vectors.paths[segment],
      dataOffset: (firstNode - layout.starts[segment]) * 4 * layer.spec.dimensions,
    },
    rows: {
      segmentStarts: layout.starts,
      runBytes: rowsPath === undefined ? queues.batchBytes / 4 : queues.batchBytes,
      path: rowsPath,
    },
  }
  const outputBytes = memberCount * graphRowBytes(2 * m)
  const label = `shard ${shard} of ${layer.name} (${memberCount} members)`
  const filled = await tasks.runInto('shard', task, outputBytes, label)
  await homes.release(homeRefs)
  await replicas.release(replicaRefs)
  await queues.dispose(homes)
  await queues.dispose(replicas)
  return { result: filled.result, place, filled }
}

function noteShard({ checkpoints, vectors }: ShardOptions, { place, result, filled }: FinishedShard): void {
  if (checkpoints === undefined) return
  const { shard, segment, rowsPath } = place
  const { checksums, stored } = result
  if (filled === undefined) {
    checkpoints.reused.shards++
    return
  }
  if (rowsPath === undefined || checksums === undefined || vectors === undefined) return
  const rowsBytes = stored.reduce((sum, { ref }) => sum + ref.frameBytes, 0)
  checkpoints.note({ kind: 'shard', shard, crc: partCrc(checksums), rowsBytes }, [vectors.paths[segment], rowsPath])
}
