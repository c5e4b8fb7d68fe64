import type { Uses } from '../run/run.js'
import type { BatchRef } from '../../../spill/batch.js'
import type { Queue } from '../../../spill/queue.js'
import { FanOut } from './fan-out.js'
import { NO_NODE, type LayerInput, type RoutedLayer } from './layer.js'
import { recordBytesOf, type RowKind } from '../../rows/record-layout.js'
import { hashOrdinal, SALT_SPLIT } from '../../rows/hash-ordinal.js'
import { noteHomes, routeRuns } from './route-layer.js'
import type { LeadersTask } from '../../tasks/route/leaders-task.js'
import { routeOutputBytes } from '../../tasks/route/route-task.js'
import type { Filled, WithoutOutput } from '../../tasks/task-runner.js'
import type { SampleTask } from '../../tasks/route/sample-task.js'
import { sampleRows } from '../../plan/sample-rows.js'
import { shardMemberLimit } from '../../plan/shard-geometry.js'

/** A round that leaves more than this share of a shard's members together has not split it. */
const STUCK_SHARE = 7 / 8
/**
 * The members of a shard that are not copies of its mass go into each of its parts, when they are at most this share of
 * the largest shard.
 */
const OTHERS_SHARE = 1 / 8
/**
 * One member in BORDER_STEP also goes to the second nearest sub-leader. Without this, when all shards of a dense spot
 * are split, its parts share no members with their surroundings and become islands. Of 48,000 vectors, 40,000 in one
 * spot, 39,441 were cut off and recall was .62; it is .986 with one in 8, .991 with one in 4.
 */
const BORDER_STEP = 4
/** The most sub-leaders of one round; larger shards take more rounds. */
const MAX_LEADERS = 64

/**
 * How a part is split next: with means as leaders; if that did not split it, with sampled rows as leaders; then by
 * cutting.
 */
type Way = 'means' | 'rows' | 'cut'

/** A shard that may still be too large. Until all are small enough, `homeOfOrdinal` contains `id`. */
interface Part {
  readonly id: number
  readonly homes: Queue<null>
  readonly replicas: Queue<null>
  homeCount: number
  replicaCount: number
  way: Way
}

type Parts = Uses<'options' | 'queues' | 'tasks' | 'log'>

interface Splitting {
  readonly run: Parts
  readonly layer: LayerInput
  readonly homeOfOrdinal: Uint32Array
  readonly limit: number
  nextId: number
  cuts: number
}

/**
 * Splits every shard that has more members than the plan allows, in place, before nodes are numbered. It splits by
 * distance, as often as needed: each member goes to its nearest sub-leader. Where distances do not help, because the
 * members are copies of one vector or nearly so, it splits by a hash of their ordinals. The result depends only on
 * members, geometry and seed.
 */
export async function splitShards(run: Parts, routed: RoutedLayer): Promise<RoutedLayer> {
  const { layer, homeOfOrdinal } = routed
  const limit = shardMemberLimit(layer.geometry)
  const shards = routed.homes.map((homes, id): Part => ({
    id,
    homes,
    replicas: routed.replicas[id],
    homeCount: routed.homeCounts[id],
    replicaCount: routed.replicaCounts[id],
    way: 'means',
  }))
  const large = shards.filter((shard) => membersOf(shard) > limit)
  if (large.length === 0) return routed

  const splitting: Splitting = { run, layer, homeOfOrdinal, limit, nextId: shards.length, cuts: 0 }
  const parts: Part[] = []
  for (const shard of shards) parts.push(...(await splitPart(splitting, shard)))
  const shardOfId = new Uint32Array(splitting.nextId)
  parts.forEach(({ id }, shard) => (shardOfId[id] = shard))
  for (let ordinal = 0; ordinal < homeOfOrdinal.length; ordinal++) {
    if (homeOfOrdinal[ordinal] !== NO_NODE) homeOfOrdinal[ordinal] = shardOfId[homeOfOrdinal[ordinal]]
  }
  const largest = large.reduce((most, shard) => Math.max(most, membersOf(shard)), 0)
  const cutText = splitting.cuts === 0 ? '' : `, ${splitting.cuts} times by hash because of (nearly) identical vectors`
  run.log.event(
    'split-shards',
    `${large.length} of ${shards.length} shards of ${layer.name} came out larger than ${limit} members ` +
      `(the largest ${largest}) and were split${cutText}: ${parts.length} shards`,
  )
  return {
    layer,
    shardCount: parts.length,
    homes: parts.map(({ homes }) => homes),
    replicas: parts.map(({ replicas }) => replicas),
    homeCounts: Uint32Array.from(parts, ({ homeCount }) => homeCount),
    replicaCounts: Uint32Array.from(parts, ({ replicaCount }) => replicaCount),
    homeOfOrdinal,
    splitShards: large.length,
  }
}

function membersOf({ homeCount, replicaCount }: Part): number {
  return homeCount + replicaCount
}

async function splitPart(splitting: Splitting, part: Part): Promise<Part[]> {
  const { run, limit } = splitting
  if (membersOf(part) <= limit) return [part]
  const parts: Part[] = []
  for (const child of await divide(splitting, part)) {
    if (child.homeCount > 0) parts.push(...(await splitPart(splitting, child)))
    else {
      // This part has no home vectors. Each of its members has links from other shards, and a shard without nodes is
      // not built.
      await run.queues.dispose(child.homes)
      await run.queues.dispose(child.replicas)
    }
  }
  return parts
}

/** Runs one round. Every part has separate sub-leaders, samples and hashes. */
async function divide(splitting: Splitting, part: Part): Promise<Part[]> {
  const { run, layer, limit } = splitting
  const { tasks } = run
  const { spec } = layer
  const members = membersOf(part)
  const label = `a part of ${members} members of ${layer.name}`
  const seed = hashOrdinal(run.options.seed, SALT_SPLIT, part.id)
  const shares: Shares = {
    homes: { input: await part.homes.handOff(), rowKind: layer.rowKind },
    replicas: { input: await part.replicas.handOff(), rowKind: 'grid' },
  }
  const wanted = sampleRows(members, spec.dimensions)
  const sampleTask: SampleTask = { shares: [shares.homes, shares.replicas], spec, wanted, seed }
  const sample = await tasks.run('sample', sampleTask, `sample of ${label}`)
  const others = members - (sample.mass?.members ?? 0)
  const fewOthers = others <= limit * OTHERS_SHARE
  if (fewOthers || part.way === 'cut') {
    splitting.cuts++
    const mass = fewOthers ? sample.mass?.code : undefined
    const aim = layer.geometry.shardMembers - (mass === undefined ? 0 : others)
    const count = Math.max(2, Math.ceil((mass === undefined ? members : members - others) / aim))
    return spread(splitting, part, shares, count, 2, async ({ input, rowKind, rowCount }, bytes) => {
      const task: WithoutOutput<'cut'> = { input, rowKind, rowCount, spec, parts: count, seed, mass }
      return tasks.runInto('cut', task, bytes, `cut ${rowCount} of ${label}`)
    })
  }

  const aimed = (members * (1 + 1 / BORDER_STEP)) / layer.geometry.shardMembers
  const leaderCount = Math.min(MAX_LEADERS, Math.max(2, Math.ceil(aimed)))
  // With no more rows than leaders, the leaders stay at sampled rows.
  const rows = part.way === 'means' ? sample.count : Math.min(sample.count, leaderCount)
  const leadersTask: LeadersTask = {
    sample: {
      kind: 'grid',
      bytes: sample.codes.subarray(0, rows * (sample.codes.length / sample.count)),
      count: rows,
    },
    spec,
    leaderCount,
    overlap: 1,
  }
  const { leaders } = await tasks.run('leaders', leadersTask, `leaders of ${label}`)
  const children = await spread(splitting, part, shares, leaders.count, 2, ({ input, rowKind, rowCount }, bytes) => {
    const overlap = Math.min(2, leaders.count)
    const sparse = { step: BORDER_STEP, seed }
    const task: WithoutOutput<'route'> = {
      input,
      rowKind,
      rowCount,
      spec,
      leaders,
      overlap,
      sparse,
      dropped: undefined,
    }
    return tasks.runInto('route', task, bytes, `route ${rowCount} of ${label}`)
  })
  for (const child of children) {
    // A mass of copies stays together with any leaders, so only the other members show whether the round split the
    // part.
    const moving = members === others ? membersOf(child) : membersOf(child) - (members - others)
    if (moving > others * STUCK_SHARE) child.way = part.way === 'means' ? 'rows' : 'cut'
  }
  return children
}

interface Share {
  readonly input: readonly BatchRef<null>[]
  readonly rowKind: RowKind
}

interface Shares {
  readonly homes: Share
  readonly replicas: Share
}

/**
 * Runs a task for every few batches of a part and sends the returned records to `count` new parts. The batches and
 * files of the part are released as soon as they are read.
 */
async function spread(
  splitting: Splitting,
  part: Part,
  shares: Shares,
  count: number,
  copies: number,
  runTask: (run: Share & { rowCount: number }, outputBytes: number) => Promise<Filled<{ counts: Uint32Array }>>,
): Promise<Part[]> {
  const { run, layer, homeOfOrdinal } = splitting
  const { queues, tasks } = run
  const children = Array.from({ length: count }, () => openPart(splitting))
  const partitions = [...children.map(({ homes }) => homes), ...children.map(({ replicas }) => replicas)]
  const out = new FanOut(partitions, queues)
  const sendHomes = async (child: number, records: Uint8Array, rows: number): Promise<void> => {
    noteHomes(records, rows, records.length / rows, children[child].id, homeOfOrdinal)
    children[child].homeCount += rows
    await out.append(child, records, rows, true)
  }
  const sendReplicas = async (child: number, records: Uint8Array, rows: number): Promise<void> => {
    children[child].replicaCount += rows
    await out.append(count + child, records, rows, true)
  }
  for (const name of ['homes', 'replicas'] as const) {
    const { input, rowKind } = shares[name]
    await tasks.runAll(
      routeRuns(input),
      async ({ refs, rowCount }) => {
        const outputBytes = routeOutputBytes(rowCount, rowKind, layer.spec, copies)
        const filled = await runTask({ input: refs, rowKind, rowCount }, outputBytes)
        await part[name].release(refs)
        return filled
      },
      async ({ result: { counts }, output, release }) => {
        let at = 0
        for (let partition = 0; partition < counts.length; partition++) {
          const rows = counts[partition]
          if (rows === 0) continue
          // Bands of `count` partitions: two for a round by distance, as in RouteResult, and four for a cut, as in
          // CutResult.
          const band = Math.floor(partition / count)
          const child = partition % count
          const bytes = rows * recordBytesOf(band === 0 ? rowKind : 'grid', layer.spec)
          const records = output.subarray(at, at + bytes)
          at += bytes
          if (band === 0 && name === 'homes') await sendHomes(child, records, rows)
          else if (band < 3) await sendReplicas(child, records, rows)
          else for (let other = 0; other < count; other++) if (other !== child) await sendReplicas(other, records, rows)
        }
        release()
      },
    )
    await queues.dispose(part[name])
  }
  await out.flush()
  return children
}

function openPart(splitting: Splitting): Part {
  const { run, layer } = splitting
  const id = splitting.nextId++
  return {
    id,
    homes: run.queues.open<null>(`${layer.name}-home-${id}`),
    replicas: run.queues.open<null>(`${layer.name}-replica-${id}`),
    homeCount: 0,
    replicaCount: 0,
    way: 'means',
  }
}
