import { placeBlock } from '../../../kernel/block.js'
import { WRITE_GRAPH_ROWS } from '../../../kernel/blocks.js'
import type { Kernel } from '../../../kernel/kernel.js'
import { readBatches } from '../../../spill/read-batches.js'
import { writeFrames } from '../../../spill/files/write-frames.js'
import type { BatchRef, FileBatchRef } from '../../../spill/batch.js'
import type { ShardGraph } from '../../engines/shard-engine.js'
import { PartWriter } from '../../format/segment/part-writer.js'
import { type PartChecksums } from '../../format/segment/segment-checksums.js'

import { writeGrid, type GridStore } from '../../rows/grid-store.js'
import { recordBytesOf, rowBytesOf, type RowKind } from '../../rows/record-layout.js'
import type { RowFile } from '../../rows/file-rows.js'
import { gatherRows } from '../gather-task.js'
import { buildGraph } from './build-graph.js'
import type { GraphTask, MemberVectors } from './graph-task.js'
import { gridEncoder, gridOps } from '../../rows/grid-ops.js'
import { graphRowBytes } from '../../plan/graph-row-bytes.js'
import { shardMemberLimit } from '../../plan/shard-geometry.js'
import type { BuildSizes } from '../../plan/stage-memory.js'

/** Members of a shard on their way to it: records of `kind`. */
export interface ShardMembers {
  readonly refs: readonly BatchRef<null>[]
  readonly count: number
  readonly kind: RowKind
}

/** Builds the graph of one shard, and puts its home vectors and their grid rows in their final place. */
export interface ShardTask extends GraphTask {
  readonly homes: ShardMembers
  readonly replicas: ShardMembers
  /** Node of the shard's first home vector. */
  readonly firstNode: number
  /** Node by ordinal, u32 each. */
  readonly nodeOfOrdinal: Uint32Array
  readonly grid: GridStore
  /** The vectors segment and the byte of its data where this shard begins; absent in upper layers. */
  readonly vectors: { readonly path: string; readonly dataOffset: number } | undefined
  readonly rows: GraphRowsOut
  /** The graph rows, segment by segment. */
  readonly output: Uint8Array
}

/** Where a shard's graph rows go. */
export interface GraphRowsOut {
  /** First node of each segment, then the node count. */
  readonly segmentStarts: Uint32Array
  /** Longest run of rows, so that runs fill batches well. */
  readonly runBytes: number
  /** In a build that can be resumed, they go from the output to this file. */
  readonly path: string | undefined
}

/** Graph rows in a shard's own file, all of nodes of one segment. */
export interface ShardRows {
  readonly segment: number
  readonly ref: FileBatchRef
}

export interface ShardResult {
  readonly checksums: PartChecksums | undefined
  /** Runs of rows in the output, ascending by segment. */
  readonly runs: readonly { readonly segment: number; readonly rows: number; readonly bytes: number }[]
  /** The same runs, when they went to a file. */
  readonly stored: readonly ShardRows[]
  /** Bytes of the output that its reader needs: none of rows that went to a file. */
  readonly outputBytes: number
}

/**
 * Rows of a shard graph on their way to merge, u32 words: `[node][count][count x neighbour node][count x distance]`,
 * nearest first.
 */
export async function buildShard(kernel: Kernel, task: ShardTask): Promise<ShardResult> {
  const { spec, homes, replicas } = task
  const ops = gridOps(kernel, spec)
  const memberCount = homes.count + replicas.count
  const nodes = kernel.alloc(4 * memberCount)
  const grid = kernel.alloc(memberCount * ops.rowBytes)
  const checksums = loadHomes(kernel, task, grid)
  writeGrid(task.grid, task.firstNode, kernel.u8(grid, homes.count * ops.rowBytes))
  loadReplicas(kernel, task, grid + homes.count * ops.rowBytes, nodes + 4 * homes.count)
  const homeNodes = kernel.u32(nodes, homes.count)
  for (let i = 0; i < homes.count; i++) homeNodes[i] = task.firstNode + i

  const graph = await buildGraph(kernel, task, grid, memberCount, homeVectors(task))
  const runs = writeRows(kernel, task, graph, nodes)
  const stored = await storeRows(task, runs)
  const outputBytes = stored.length > 0 ? 0 : runs.reduce((sum, { bytes }) => sum + bytes, 0)
  return { checksums, runs, stored, outputBytes }
}

/** The home vectors, from the segment that they went to. */
function homeVectors({ spec, homes, vectors }: ShardTask): MemberVectors | undefined {
  if (vectors === undefined) return undefined
  const { dimensions } = spec
  const strideBytes = 4 * dimensions
  const file: RowFile = { path: vectors.path, firstNode: -vectors.dataOffset / strideBytes, count: homes.count }
  return {
    count: homes.count,
    below: Number.POSITIVE_INFINITY,
    read: (members) => {
      const rows = new Float32Array(members.length * dimensions)
      gatherRows({ vectors: file, dimensions, nodes: members, rows })
      return rows
    },
  }
}

async function storeRows({ rows: { path }, output }: ShardTask, runs: ShardResult['runs']): Promise<ShardRows[]> {
  if (path === undefined) return []
  let at = 0
  const batches = runs.map(({ segment, rows, bytes }) => {
    const batch = { header: segment, count: rows, bytes: output.subarray(at, at + bytes) }
    at += bytes
    return batch
  })
  const refs = await writeFrames(path, batches)
  return refs.map((ref, i) => ({ segment: runs[i].segment, ref }))
}

/**
 * Puts each home row at its node's place (the numbering sorts them by ordinal), encodes it, and writes the vectors
 * of the whole shard in one forward run.
 */
function loadHomes(kernel: Kernel, task: ShardTask, grid: number): PartChecksums | undefined {
  const { spec, homes, nodeOfOrdinal, firstNode } = task
  const rowBytes = rowBytesOf(homes.kind, spec)
  const mark = kernel.mark()
  const rows = homes.kind === 'grid' ? grid : kernel.alloc(homes.count * rowBytes)
  const recordWords = recordBytesOf(homes.kind, spec) / 4
  for (const batch of readBatches<null>(homes.refs)) {
    const batchMark = kernel.mark()
    const records = kernel.alloc(batch.bytes.length)
    const places = kernel.alloc(4 * batch.count)
    kernel.u8(records, batch.bytes.length).set(batch.bytes)
    const words = kernel.u32(records, batch.count * recordWords)
    const placeOf = kernel.u32(places, batch.count)
    for (let i = 0; i < batch.count; i++) placeOf[i] = nodeOfOrdinal[words[i * recordWords]] - firstNode
    kernel.fn.scatterRecords(records, batch.count, rowBytes, places, rows)
    kernel.release(batchMark)
  }
  if (homes.kind === 'vectors') {
    gridEncoder(kernel, spec)(rows, homes.count, grid)
  }
  const checksums = task.vectors && writePart(task.vectors, kernel.u8(rows, homes.count * rowBytes))
  kernel.release(mark)
  return checksums
}

export function writePart(place: { path: string; dataOffset: number }, bytes: Uint8Array): PartChecksums {
  const writer = new PartWriter(place.path, place.dataOffset)
  try {
    writer.write(bytes)
    return writer.finish()
  } finally {
    writer.close()
  }
}

/** Replicas come in any order of batches; they are placed by node, so that the shard is the same every time. */
function loadReplicas(kernel: Kernel, task: ShardTask, grid: number, nodes: number): void {
  const { spec, replicas } = task
  const replicaCount = replicas.count
  const recordBytes = recordBytesOf(replicas.kind, spec)
  const mark = kernel.mark()
  const records = kernel.alloc(replicaCount * recordBytes)
  const keysAt = kernel.alloc(8 * replicaCount)
  const orderAt = kernel.alloc(4 * replicaCount)
  const into = kernel.u8(records, replicaCount * recordBytes)
  let filled = 0
  for (const batch of readBatches<null>(replicas.refs)) {
    into.set(batch.bytes.subarray(0, batch.count * recordBytes), filled)
    filled += batch.count * recordBytes
  }
  // Node in the high part and arrival in the low part of one number: a numeric sort orders both at once.
  const words = kernel.u32(records, filled / 4)
  const keys = kernel.f64(keysAt, replicaCount)
  for (let i = 0; i < replicaCount; i++) {
    keys[i] = task.nodeOfOrdinal[words[(i * recordBytes) / 4]] * 2 ** 21 + i
  }
  keys.sort()
  const nodeOf = kernel.u32(nodes, replicaCount)
  const order = kernel.u32(orderAt, replicaCount)
  for (let i = 0; i < replicaCount; i++) {
    nodeOf[i] = Math.floor(keys[i] / 2 ** 21)
    order[i] = keys[i] % 2 ** 21
  }
  kernel.fn.gatherRecords(records, replicaCount, recordBytes - 4, orderAt, grid)
  kernel.release(mark)
}

/** Addresses of arrays in kernel memory, where they may be already. */
function placed(kernel: Kernel, arrays: readonly Uint32Array[]): number[] {
  // Allocating may grow the memory, and detach those that are in it: their addresses stay.
  const isInside = arrays.map((array) => array.buffer === kernel.memory.buffer)
  const inside = arrays.map((array) => array.byteOffset)
  return arrays.map((array, i) => {
    if (isInside[i]) return inside[i]
    const at = kernel.alloc(array.byteLength)
    kernel.u32(at, array.length).set(array)
    return at
  })
}

/** Rows by node to the output: homes are one ascending run of nodes, replicas another around it. */
function writeRows(kernel: Kernel, task: ShardTask, graph: ShardGraph, nodes: number): ShardResult['runs'] {
  const { firstNode } = task
  const { segmentStarts, runBytes } = task.rows
  const [homeCount, replicaCount] = [task.homes.count, task.replicas.count]
  const count = homeCount + replicaCount
  const outBytes = 8 * (count + graph.neighbours.length)
  const mark = kernel.mark()
  const [offsets, neighbours, words] = placed(kernel, [graph.offsets, graph.neighbours, graph.distanceWords])
  const starts = kernel.alloc(segmentStarts.byteLength)
  const out = kernel.alloc(outBytes)
  const runsAt = kernel.alloc(12 * count)
  kernel.u32(starts, segmentStarts.length).set(segmentStarts)
  const replicaNodes = kernel.u32(nodes + 4 * homeCount, replicaCount)
  const after = replicaNodes.findIndex((node) => node > firstNode)
  const before = after < 0 ? replicaCount : after
  const rows = { count, homeCount, before, nodes, offsets, neighbours, words, starts, runBytes }
  const runCount = kernel.fn.writeGraphRows(placeBlock(kernel, WRITE_GRAPH_ROWS, { ...rows, out, runs: runsAt }))
  task.output.set(kernel.u8(out, outBytes))
  const fields = kernel.u32(runsAt, 3 * runCount)
  const runs = Array.from({ length: runCount }, (_, i) => {
    const [segment, rows, bytes] = fields.subarray(3 * i)
    return { segment, rows, bytes }
  })
  kernel.release(mark)
  return runs
}

/** One shard in one worker: grid rows, then whichever is larger of its float rows and what the engine needs. */
export function shardTaskBytes({
  count,
  m,
  vectorBytes,
  gridRowBytes,
  gridDims,
  engine,
  geometry,
}: BuildSizes): number {
  const largest = Math.min(count, shardMemberLimit(geometry))
  const rows = largest * graphRowBytes(2 * m)
  const homes = Math.ceil(largest / geometry.overlap)
  const loading = homes * vectorBytes + largest * (gridRowBytes / 2)
  const building = engine.workerBytes(largest, gridDims, m)
  // When one group is all homes, their vectors, the finer grid and a graph on it, beside the graph of the shard.
  const finer = homes * (vectorBytes + gridRowBytes) + engine.workerBytes(homes, gridDims, m) + rows
  // Members' nodes and runs of rows are 16 bytes a member. Rows go out by way of kernel memory: as the graph, as records.
  return largest * (gridRowBytes + 16) + Math.max(loading, building, finer, 2 * rows) + rows
}

/** The graph rows of the largest shard. */
export function shardOutputBytes({ count, m, geometry }: BuildSizes): number {
  return Math.min(count, shardMemberLimit(geometry)) * graphRowBytes(2 * m)
}
