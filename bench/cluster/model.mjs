// A build of many vectors on many hosts, from what builds of few vectors cost: pure functions. What is measured grows in
// proportion to the vectors, but for the comparisons with leaders (route) and the upper levels, which are computed.
import { STAGES_THAT_GO_OUT } from './summarise.mjs'

/** Above this many leaders a vector is compared with coarse leaders first, then with those of the nearest cells. */
const MAX_FLAT_LEADERS = 1000
const COARSE_PROBES = 4
/** The largest level that is linked as one shard, in members of a shard; a larger one goes through all stages. */
const ONE_SHARD_FACTOR = 2
/** Bytes of JavaScript heap on the coordinator, as ARCHITECTURE.md has them. */
const HEAP_BYTES = { shard: 120 + 2 * 2200, batch: 110 }
const ROUTE_TASK_BYTES = 2 * 2 ** 20
/** Grid rows that merge wants for a vector of a segment. Measured on 400,000 x 128 (synthetic), in chunks of 16 MiB. */
const GRID_ROWS_PER_VECTOR = 10
/** Hosts with memory to spare read those of a segment in one pass. */
const GRID_CHUNK_BYTES = 256 * 2 ** 20
/** Two wanted grid rows that are nearer in the file are fetched by one read. */
const GRID_GAP_BYTES = 16 * 1024
const PAGE_BYTES = 4096
/** What a network file system reads ahead in a file that is wanted whole. */
const AHEAD_BYTES = 128 * 1024

/** Nodes of a segment: a sixteenth of a small build, 64 MiB of vectors or 65,536 nodes of a large one. */
function segmentNodes(count, dimensions) {
  const vectorBytes = 4 * dimensions
  const bytes = Math.max(4 * 2 ** 20, Math.min(64 * 2 ** 20, (count * vectorBytes) / 16))
  return Math.min(count, 65_536, bytes / vectorBytes)
}

/** Leaders that each vector is compared with. */
export function comparedLeaders(leaders) {
  if (leaders <= MAX_FLAT_LEADERS) return leaders
  const cells = Math.ceil(Math.sqrt(leaders))
  return cells + (COARSE_PROBES * leaders) / cells
}

/**
 * Reads of grid rows by merge, of one vector: the rows of a segment are taken for spread evenly over the file. Few vectors:
 * nearly the whole file for each segment; many: a read for each row. @returns { bytes, reads, pageBytes: with whole pages }
 */
export function gridReads(count, dimensions, rowBytes) {
  const chunkRows = Math.min(GRID_CHUNK_BYTES / rowBytes, GRID_ROWS_PER_VECTOR * segmentNodes(count, dimensions))
  const density = Math.min(1, chunkRows / count)
  const gapRows = GRID_GAP_BYTES / rowBytes
  const alone = Math.exp(-gapRows * density)
  const together = rowBytes * Math.max(1 - alone, (1 - alone) / density - gapRows * alone)
  const [bytes, pageBytes] = [rowBytes, Math.max(rowBytes, PAGE_BYTES)].map(
    (single) => GRID_ROWS_PER_VECTOR * (together + alone * single),
  )
  return { bytes, reads: GRID_ROWS_PER_VECTOR * alone, pageBytes }
}

/**
 * What one vector costs in each stage, and what a build costs whatever its size, from measured results of cluster.mjs:
 * those of the fewest and of the most vectors. With one result nothing tells them apart: all is taken as the vectors'.
 * @returns { stages: { name: { coordinatorCpu, coordinatorMain, hostCpu, coordinatorBytes,
 *   hostBytes } of a vector },
 *   fixed: the same of a build, redisBytesPerTask, commandsPerTask, measuredCount, measuredShards }
 */
export function costsOf(results) {
  const sorted = results.toSorted((a, b) => a.data.count - b.data.count)
  const [few, most] = [sorted[0], sorted.at(-1)].map(onOneWorker)
  const stages = {}
  const fixed = {}
  for (const stage of most.stages) {
    const large = costOfStage(stage)
    const small = few === most || few.count === most.count ? undefined : costOfStage(stageOf(few, stage.name))
    stages[stage.name] = mapValues(large, (value, name) =>
      small === undefined ? value / most.count : Math.max(0, (value - small[name]) / (most.count - few.count)),
    )
    fixed[stage.name] = mapValues(large, (value, name) => Math.max(0, value - stages[stage.name][name] * most.count))
  }
  const { redis, tasks, count, dims } = most
  // Reads of grid rows do not grow in proportion: they are computed.
  stages.merge.hostBytes = Math.max(
    0,
    stages.merge.hostBytes - gridReads(count, dims, 2 * Math.ceil(dims / 8) * 8).bytes,
  )
  return {
    stages,
    fixed,
    redisBytesPerTask: (redis.inBytes + redis.outBytes) / tasks,
    commandsPerTask: redis.commands / tasks,
    measuredCount: count,
    dims,
  }
}

function onOneWorker({ data, summary }) {
  const single = summary.find(({ workers }) => workers === 1)
  if (single === undefined) throw new Error(`the result of ${data.name} has no build on one worker: --workers 1,2`)
  return { ...single, count: data.count, dims: data.dims }
}

const stageOf = ({ stages }, wanted) => stages.find(({ name }) => name === wanted)

function costOfStage({ cpu, mainCpu, readBytes, writtenBytes }) {
  return {
    coordinatorCpu: cpu.coordinator,
    coordinatorMain: mainCpu.coordinator,
    hostCpu: cpu.worker,
    coordinatorBytes: readBytes.coordinator + writtenBytes.coordinator,
    hostBytes: readBytes.worker + writtenBytes.worker,
  }
}

/**
 * One build. @param plan of `planStages`: the geometry and the memory of this count
 * @param hosts { count, threads, memoryBytes, networkBytes: a host's a second; of the shared folder storageBytes and
 *   storageReads a second, readSeconds: how long one takes }
 * @param machine { comparisonsPerSecond: leaders that a thread compares one vector with }
 * @returns { seconds, limit, shares, hostCpu, coordinatorCpu, movedBytes, coordinatorBytes }
 */
export function modelBuild(plan, costs, hosts, machine) {
  const rows = Object.keys(costs.stages).map((name) => ({ name, ...stageTime(name, plan, costs, hosts, machine) }))
  const total = (of) => rows.reduce((sum, row) => sum + of(row), 0)
  const seconds = total((row) => row.seconds)
  const shares = {}
  for (const row of rows) shares[row.limit] = (shares[row.limit] ?? 0) + row.seconds / seconds
  return {
    seconds,
    limit: Object.keys(shares).reduce((most, next) => (shares[next] > shares[most] ? next : most)),
    shares,
    reads: total((row) => row.reads),
    stages: rows,
    hostCpu: total((row) => row.hostCpu),
    coordinatorCpu: total((row) => row.coordinatorCpu),
    movedBytes: total((row) => row.hostBytes + row.coordinatorBytes),
    coordinatorBytes: total((row) => row.coordinatorBytes),
  }
}

/** A stage lasts as long as what is slowest in it: its parts work side by side. */
function stageTime(name, plan, costs, hosts, machine) {
  const cost = stageCost(name, plan, costs, hosts, machine)
  const goesOut = STAGES_THAT_GO_OUT.includes(name)
  const parts = {
    'CPU of the hosts': goesOut ? cost.hostCpu / (hosts.count * hosts.threads) : 0,
    "the coordinator's main thread": cost.coordinatorMain,
    "the coordinator's network": cost.coordinatorBytes / hosts.networkBytes,
    'network of the hosts': cost.hostBytes / (hosts.count * hosts.networkBytes),
    'bytes of the shared folder': (cost.coordinatorBytes + cost.hostBytes) / hosts.storageBytes,
    'reads of the shared folder': cost.reads / hosts.storageReads,
    'waiting for reads': (cost.reads * hosts.readSeconds) / (hosts.count * hosts.threads),
  }
  const limit = Object.keys(parts).reduce((most, next) => (parts[next] > parts[most] ? next : most))
  return { ...cost, seconds: parts[limit], limit }
}

function stageCost(name, plan, costs, hosts, machine) {
  const { count, m, geometry, gridDims } = plan
  const gridBytes = 2 * gridDims * count
  const cost = mapValues(costs.stages[name], (value, of) => value * count + costs.fixed[name][of])
  cost.reads = 0
  if (name === 'route') cost.hostCpu += (count * addedComparisons(plan, costs)) / machine.comparisonsPerSecond
  if (name === 'upper levels' && isLarge(count, m, geometry) && !isLarge(costs.measuredCount, m, geometry)) {
    // A large level is a build of its own; what was measured is one shard.
    const share = 1 / (m - 1)
    for (const stage of ['route', 'shards', 'merge']) {
      for (const [of, value] of Object.entries(costs.stages[stage])) cost[of] += share * count * value
    }
    cost.coordinatorBytes += gridBytes
  }
  // Each host reads the nodes of all ordinals once.
  if (name === 'shards') cost.hostBytes += (hosts.count - 1) * 4 * count
  if (name === 'merge') {
    const grid = gridReads(count, plan.dimensions, 2 * gridDims)
    const free = hosts.memoryBytes - plan.hostBytes - hosts.threads * plan.taskBytes
    // A host that has room for the whole grid in its cache fetches it once.
    const isCached = free > gridBytes && hosts.count * gridBytes < count * grid.pageBytes
    cost.hostBytes += isCached ? hosts.count * gridBytes : count * grid.pageBytes
    cost.reads = isCached ? (hosts.count * gridBytes) / AHEAD_BYTES : count * grid.reads
  }
  return cost
}

/** Level 1 is too large for one shard. */
function isLarge(count, m, { shardMembers }) {
  return count / m > ONE_SHARD_FACTOR * shardMembers
}

function addedComparisons({ geometry }, { measuredCount }) {
  const measured = Math.max(1, Math.ceil((measuredCount * geometry.overlap) / geometry.shardMembers))
  return Math.max(0, comparedLeaders(geometry.shardCount) - comparedLeaders(measured))
}

/** What the coordinator and Redis hold and what lies in the shared folder; bytes, and numbers of tasks. */
export function modelSizes(plan, costs) {
  const { count, dimensions, gridDims, geometry, batchBytes } = plan
  const segments = Math.ceil(count / segmentNodes(count, dimensions))
  const routeTasks = Math.ceil((count * (4 * dimensions + 4)) / ROUTE_TASK_BYTES)
  const tasks = routeTasks + geometry.shardCount + 2 * segments
  const routedBytes = count * (4 * dimensions + 4 + (geometry.overlap - 1) * (2 * gridDims + 4))
  const batches = Math.ceil(routedBytes / batchBytes) + Math.ceil((count * (4 * dimensions + 4)) / batchBytes)
  return {
    shards: geometry.shardCount,
    segments,
    tasks,
    redisBytes: tasks * costs.redisBytesPerTask,
    commands: tasks * costs.commandsPerTask,
    coordinatorBytes: plan.fixedBytes,
    heapBytes: geometry.shardCount * HEAP_BYTES.shard + batches * HEAP_BYTES.batch,
    hostBytes: plan.hostBytes,
    taskBytes: plan.taskBytes,
    temporaryBytes: plan.temporaryBytes,
    indexBytes: plan.indexBytes,
  }
}

function mapValues(object, of) {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, of(value, name)]))
}
