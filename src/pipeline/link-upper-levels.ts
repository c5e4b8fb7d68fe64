import { encodeUpper } from '../format/graph/encode-upper.js'
import type { EntryPoint } from '../format/generation/manifest.js'
import { shardGeometry } from '../plan/shard-geometry.js'
import { coprimeStride } from '../engines/coprime-stride.js'
import { engineByName } from '../engines/engine-by-name.js'
import type { Quality } from '../api/report.js'
import type { PlannedRun, Uses } from './run/run.js'
import { gridRowBytes, type GridSpec } from '../rows/grid-spec.js'
import { readGrid, type GridStore, dropGrid } from '../rows/grid-store.js'
import { NO_NODE, type LayerInput, type LinkedShards } from './layer/layer.js'
import { columnBatchBytes, type ColumnHeader } from '../rows/record-layout.js'
import { levelOf } from '../rows/hash-ordinal.js'
import type { UpperTask } from '../tasks/link/upper-task.js'
import type { UpperLevel } from '../format/graph/upper-level.js'
import { leadersOf, routeLayer } from './layer/route-layer.js'
import type { Routed } from './route.js'
import type { AssignedNodes } from './assign-nodes.js'
import { numberNodes } from './layer/number-nodes.js'
import { linkLayerShards } from './layer/link-layer-shards.js'
import { mergeLayer } from './layer/merge-layer.js'
import { splitShards } from './layer/split-shards.js'
import { nodeByOrdinalBytes, upperLevelBytes, type BuildSizes, type StageMemory } from '../plan/stage-memory.js'
import { mergeTaskBytes } from '../tasks/link/merge-task.js'
import { shardOutputBytes, shardTaskBytes } from '../tasks/link/shard-task.js'
import { sampleRows } from '../plan/sample-rows.js'

export interface UpperLevels {
  readonly levels: readonly UpperLevel[]
  readonly bytes: Uint8Array
  readonly entryPoint: EntryPoint
}

/**
 * A level of up to this many times the engine's shard size is linked as one shard; a larger one goes through the
 * stages.
 */
const ONE_SHARD_FACTOR = 2

/**
 * Links levels ≥ 1, level by level, with the same builder. Their n/M nodes are chosen by hash. The entry point is the
 * node of the top level that is nearest to the mean of the data.
 */
export async function linkUpperLevels(
  run: PlannedRun,
  { layer, chosen }: Routed,
  { nodeOfOrdinal }: AssignedNodes,
  { grid }: LinkedShards,
): Promise<UpperLevels> {
  const { seed, m } = run.options
  const base = { spec: layer.spec, grid, quality: chosen.quality }
  const members = nodesByLevel(nodeOfOrdinal, seed, m)
  const levels: UpperLevel[] = []
  for (const [above, nodes] of members.entries()) {
    const links = await linkLevel(run, above + 1, nodes, base)
    const down = above === 0 ? nodes : placesIn(members[above - 1], nodes)
    levels.push({ nodes, down, links })
    run.log.progress(above + 1, members.length, 'levels')
  }
  const entryPoint = entryPointOf(levels, base)
  // No later stage computes on the grid.
  dropGrid(grid)
  return { levels, bytes: encodeUpper(levels), entryPoint }
}

/** What upper levels use of level 0. */
interface Base {
  readonly spec: GridSpec
  readonly grid: GridStore
  readonly quality: Quality
}

/**
 * `[0]`: the nodes of level 1, ascending. Each further level is a subset of the one before. Two passes, so that no array
 * of numbers grows with the count.
 */
function nodesByLevel(nodeOfOrdinal: Uint32Array, seed: number, m: number): Uint32Array[] {
  const sizes: number[] = []
  eachUpperNode(nodeOfOrdinal, seed, m, (level) => {
    for (let l = 0; l < level; l++) sizes[l] = (sizes[l] ?? 0) + 1
  })
  const levels = sizes.map((size) => new Uint32Array(size))
  const used = sizes.map(() => 0)
  eachUpperNode(nodeOfOrdinal, seed, m, (level, node) => {
    for (let l = 0; l < level; l++) levels[l][used[l]++] = node
  })
  return levels.map((nodes) => nodes.sort())
}

/** Visits the nodes with a level above 0, in the order of ordinals. */
function eachUpperNode(
  nodeOfOrdinal: Uint32Array,
  seed: number,
  m: number,
  visit: (level: number, node: number) => void,
): void {
  for (let ordinal = 0; ordinal < nodeOfOrdinal.length; ordinal++) {
    const node = nodeOfOrdinal[ordinal]
    if (node === NO_NODE) continue
    const level = levelOf(seed, ordinal, m)
    if (level > 0) visit(level, node)
  }
}

/** The index of each of `wanted` in `nodes`. Both ascend, and all of `wanted` are in `nodes`. */
function placesIn(nodes: Uint32Array, wanted: Uint32Array): Uint32Array {
  const places = new Uint32Array(wanted.length)
  let at = 0
  wanted.forEach((node, i) => {
    while (nodes[at] !== node) at++
    places[i] = at
  })
  return places
}

async function linkLevel(run: PlannedRun, level: number, nodes: Uint32Array, base: Base): Promise<Uint32Array> {
  const { m, seed, engine: engineName } = run.options
  const engine = engineByName(engineName)
  if (nodes.length > ONE_SHARD_FACTOR * engine.shardMembers) return linkLargeLevel(run, level, nodes, base)
  const task: UpperTask = { ...base, nodes, engine: engineName, m, seed }
  const { links } = await run.tasks.run('upper', task, `upper level ${level} (${nodes.length} nodes)`)
  return links
}

/** Runs route, shards and merge again, on the grid: level 1 of 50M vectors has 3M nodes. */
async function linkLargeLevel(
  run: PlannedRun,
  level: number,
  nodes: Uint32Array,
  { spec, grid, quality }: Base,
): Promise<Uint32Array> {
  const { m } = run.options
  const engine = engineByName(run.options.engine)
  const name = `level-${level}`
  const layer: LayerInput = {
    name,
    rowKind: 'grid',
    input: await queueGrid(run, name, nodes, grid),
    ordinalCount: nodes.length,
    vectorCount: nodes.length,
    dropped: undefined,
    spec,
    geometry: shardGeometry(nodes.length, engine.overlap, engine.shardMembers),
  }
  const leaders = await leadersOf(run, layer, sampleGrid(nodes, grid, spec))
  const routed = await splitShards(run, await routeLayer(run, layer, leaders))
  const numbered = numberNodes(routed)
  const shards = await linkLayerShards(run, routed, numbered, { quality })
  const stride = 1 + m
  const merged = new Uint32Array(new SharedArrayBuffer(4 * nodes.length * stride))
  const shape = { name, spec, layout: numbered.layout, maxDegree: m }
  await mergeLayer(run, shape, shards, { kind: 'memory', links: merged })

  // The layer has its own node numbers; the level needs the links in the order of `nodes`.
  const ordinalOf = new Uint32Array(nodes.length)
  numbered.nodeOfOrdinal.forEach((node, ordinal) => {
    ordinalOf[node] = ordinal
  })
  const links = new Uint32Array(nodes.length * stride)
  for (let node = 0; node < nodes.length; node++) {
    const from = node * stride
    const to = ordinalOf[node] * stride
    links[to] = merged[from]
    for (let i = 1; i <= merged[from]; i++) links[to + i] = ordinalOf[merged[from + i]]
  }
  return links
}

async function queueGrid(
  { queues }: Uses<'queues'>,
  name: string,
  nodes: Uint32Array,
  grid: GridStore,
): Promise<LayerInput['input']> {
  const queue = queues.open<ColumnHeader>(`${name}-input`)
  const capacity = Math.max(1, Math.floor(queues.batchBytes / columnBatchBytes(1, grid.rowBytes)))
  for (let from = 0; from < nodes.length; from += capacity) {
    const count = Math.min(capacity, nodes.length - from)
    const bytes = queues.buffers.acquire(columnBatchBytes(capacity, grid.rowBytes))
    const ordinals = new Uint32Array(bytes.buffer, bytes.byteOffset, count)
    for (let i = 0; i < count; i++) ordinals[i] = from + i
    readGrid(grid, nodes.subarray(from, from + count), bytes.subarray(4 * capacity))
    await queue.push({ header: { capacity }, count, bytes })
  }
  return queue
}

/** Samples evenly spaced nodes. Nodes are in the order of the shards, so the sample is spread over the data. */
function sampleGrid(
  nodes: Uint32Array,
  grid: GridStore,
  spec: GridSpec,
): { kind: 'grid'; bytes: Uint8Array; count: number } {
  const count = sampleRows(nodes.length, spec.dimensions)
  const chosen = Uint32Array.from({ length: count }, (_, i) => nodes[Math.floor((i * nodes.length) / count)])
  const ordered = new Uint8Array(count * grid.rowBytes)
  readGrid(grid, chosen, ordered)
  // The first rows of the sample become leaders, so the sample must be in random order: take its rows in strides
  // coprime to the count.
  const stride = coprimeStride(count)
  const bytes = new Uint8Array(ordered.length)
  for (let i = 0; i < count; i++) {
    const from = ((i * stride) % count) * grid.rowBytes
    bytes.set(ordered.subarray(from, from + grid.rowBytes), i * grid.rowBytes)
  }
  return { kind: 'grid', bytes, count }
}

function entryPointOf(levels: readonly UpperLevel[], { spec, grid }: Base): EntryPoint {
  if (levels.length === 0) return { node: 0, level: 0, index: 0 }
  const { nodes } = levels[levels.length - 1]
  const bytes = new Uint8Array(nodes.length * gridRowBytes(spec))
  readGrid(grid, nodes, bytes)
  const rows = spec.kind === 'i16' ? new Int16Array(bytes.buffer) : new Float32Array(bytes.buffer)
  // The grid is centred on the mean, so the row nearest to the mean has the smallest norm.
  let best = { index: 0, squared: Number.POSITIVE_INFINITY }
  for (let index = 0; index < nodes.length; index++) {
    let squared = 0
    for (let d = 0; d < spec.gridDims; d++) squared += rows[index * spec.gridDims + d] ** 2
    if (squared < best.squared) best = { index, squared }
  }
  return { node: nodes[best.index], level: levels.length, index: best.index }
}

/** A level of more than one shard goes through queues, shards and merge once more. */
export function upperLevelsMemory(sizes: BuildSizes): StageMemory {
  const { count, m, engine } = sizes
  const isLarge = count / m > ONE_SHARD_FACTOR * engine.shardMembers
  return {
    held: nodeByOrdinalBytes(sizes) + upperLevelBytes(sizes),
    task: Math.max(shardTaskBytes(sizes), mergeTaskBytes(sizes)),
    ...(isLarge && { output: shardOutputBytes(sizes), usesQueues: true }),
    usesGrid: true,
    reusesThreads: true,
  }
}
