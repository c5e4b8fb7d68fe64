import type { BatchRef } from '../../../spill/batch.js'
import { recordBytesOf } from '../../rows/record-layout.js'
import type { Leaders } from '../../tasks/route/leaders.js'
import type { LeadersTask } from '../../tasks/route/leaders-task.js'
import type { WithoutOutput } from '../../tasks/task-runner.js'
import { routeOutputBytes, ROUTE_TASK_BYTES } from '../../tasks/route/route-task.js'
import type { Uses } from '../run/run.js'
import { FanOut } from './fan-out.js'
import { NO_NODE, type LayerInput, type RoutedLayer } from './layer.js'

/** Chooses the leaders of a layer from its sample. */
export async function leadersOf(
  { tasks, log }: Uses<'tasks' | 'log'>,
  layer: LayerInput,
  sample: LeadersTask['sample'],
): Promise<Leaders> {
  const task: LeadersTask = {
    sample,
    spec: layer.spec,
    leaderCount: layer.geometry.shardCount,
    overlap: layer.geometry.overlap,
  }
  const { leaders } = await tasks.run('leaders', task, `leaders of ${layer.name}`)
  if (leaders.count < layer.geometry.shardCount) {
    log.event(
      'few-distinct-vectors',
      `${layer.geometry.shardCount} shards were planned and the sample has only ${leaders.count} distinct vectors: ` +
        `${leaders.count} shards`,
    )
  }
  return leaders
}

/**
 * Sends every vector of the layer to the shards of its nearest leaders: the home record to the nearest, replica codes
 * to the next ones. The order in which tasks finish does not matter: shards order their members by ordinal.
 */
export async function routeLayer(
  { queues, tasks, log }: Uses<'queues' | 'tasks' | 'log'>,
  layer: LayerInput,
  leaders: Leaders,
): Promise<RoutedLayer> {
  const { spec, rowKind, dropped } = layer
  const shardCount = leaders.count
  const overlap = Math.min(layer.geometry.overlap, shardCount)
  const partitions = Array.from({ length: 2 * shardCount }, (_, i) =>
    queues.open<null>(`${layer.name}-${i < shardCount ? 'home' : 'replica'}-${i % shardCount}`),
  )
  const out = new FanOut(partitions, queues)
  tasks.share(leaders)
  if (dropped !== undefined) tasks.share(dropped)
  const counts = new Uint32Array(2 * shardCount)
  const homeOfOrdinal = new Uint32Array(new SharedArrayBuffer(4 * layer.ordinalCount)).fill(NO_NODE)
  const recordBytes = { home: recordBytesOf(rowKind, spec), replica: recordBytesOf('grid', spec) }
  let clamped = 0
  let routed = 0

  await tasks.runAll(
    routeRuns(await layer.input.handOff()),
    async ({ refs, rowCount }) => {
      const task: WithoutOutput<'route'> = { input: refs, rowKind, rowCount, spec, leaders, overlap, dropped }
      const outputBytes = routeOutputBytes(rowCount, rowKind, spec, overlap)
      const label = `route ${rowCount} vectors of ${layer.name}`
      const filled = await tasks.runInto('route', task, outputBytes, label)
      await layer.input.release(refs)
      return { ...filled, rowCount }
    },
    async ({ result, output, release, rowCount }) => {
      let at = 0
      for (let partition = 0; partition < 2 * shardCount; partition++) {
        const count = result.counts[partition]
        if (count === 0) continue
        const isHome = partition < shardCount
        const bytes = count * (isHome ? recordBytes.home : recordBytes.replica)
        const records = output.subarray(at, at + bytes)
        if (isHome) noteHomes(records, count, recordBytes.home, partition, homeOfOrdinal)
        counts[partition] += count
        await out.append(partition, records, count, true)
        at += bytes
      }
      release()
      clamped += result.clamped
      routed += rowCount
      log.progress(routed, layer.vectorCount, 'vectors')
    },
  )
  await out.flush()
  await queues.dispose(layer.input)
  if (clamped > 0) {
    log.event(
      'clamped-codes',
      `${clamped} of ${layer.vectorCount} vectors are longer than any in the sample: their codes were shortened for ` +
        `building; searches compare the vectors themselves`,
    )
  }
  return {
    layer,
    shardCount,
    homes: partitions.slice(0, shardCount),
    replicas: partitions.slice(shardCount),
    homeCounts: counts.slice(0, shardCount),
    replicaCounts: counts.slice(shardCount),
    homeOfOrdinal,
    splitShards: 0,
  }
}

/** Groups consecutive batches into runs of about ROUTE_TASK_BYTES. */
export function* routeRuns<Header>(
  refs: readonly BatchRef<Header>[],
): Generator<{ refs: BatchRef<Header>[]; rowCount: number }> {
  let run: BatchRef<Header>[] = []
  let bytes = 0
  let rowCount = 0
  for (const ref of refs) {
    run.push(ref)
    bytes += ref.kind === 'memory' ? ref.batch.bytes.length : ref.frameBytes
    rowCount += ref.kind === 'memory' ? ref.batch.count : ref.count
    if (bytes < ROUTE_TASK_BYTES) continue
    yield { refs: run, rowCount }
    run = []
    bytes = 0
    rowCount = 0
  }
  if (run.length > 0) yield { refs: run, rowCount }
}

/** Sets the home of each record's ordinal. */
export function noteHomes(
  records: Uint8Array,
  count: number,
  recordBytes: number,
  shard: number,
  homeOfOrdinal: Uint32Array,
): void {
  const view = new DataView(records.buffer, records.byteOffset, records.byteLength)
  for (let i = 0; i < count; i++) homeOfOrdinal[view.getUint32(i * recordBytes, true)] = shard
}
