import type { Kernel } from '../../../kernel/kernel.js'
import { readBatches, type BatchRef } from '../../../spill/index.js'
import type { ShardGraph } from '../../engines/shard-engine.js'
import { PartWriter, type PartChecksums } from '../../format/part-writer.js'

import type { EngineName, Quality } from '../../types.js'
import { writeCodes, type CodeStore } from '../code-store.js'
import type { CodeSpec } from '../code-spec.js'
import { recordBytesOf, rowBytesOf, type RowKind } from '../layer-records.js'
import { rangeOf } from '../segment-layout.js'
import { buildGraph } from './build-graph.js'
import { codeOps } from './code-ops.js'

/** Builds the graph of one shard, and puts its home vectors and codes in their final place. */
export interface ShardTask {
  readonly homes: readonly BatchRef<null>[]
  readonly replicas: readonly BatchRef<null>[]
  readonly homeKind: RowKind
  readonly homeCount: number
  readonly replicaCount: number
  readonly spec: CodeSpec
  /** Node of the shard's first home vector. */
  readonly firstNode: number
  /** Node by ordinal, u32 each. */
  readonly nodeOfOrdinal: Uint32Array
  readonly engine: EngineName
  readonly quality: Quality
  readonly m: number
  readonly seed: number
  readonly codes: CodeStore
  /** The vectors segment and the byte of its data where this shard begins; absent in upper layers. */
  readonly vectors: { readonly path: string; readonly dataOffset: number } | undefined
  /** First node of each segment, then the node count. */
  readonly segmentStarts: Uint32Array
  /** Longest run of rows, so that runs fill batches well. */
  readonly runBytes: number
  /** Where the graph rows go, segment by segment. */
  readonly output: Uint8Array
}

export interface ShardResult {
  readonly checksums: PartChecksums | undefined
  /** Runs of rows in the output, ascending by segment. */
  readonly runs: readonly { readonly segment: number; readonly rows: number; readonly bytes: number }[]
}

/**
 * Rows of a shard graph on their way to merge, u32 words: `[node][count][count x neighbour node][count x distance]`,
 * nearest first.
 */
export async function buildShard(kernel: Kernel, task: ShardTask): Promise<ShardResult> {
  const { spec, homeCount, replicaCount } = task
  const ops = codeOps(kernel, spec)
  const memberCount = homeCount + replicaCount
  const codes = kernel.alloc(memberCount * ops.rowBytes)
  const checksums = loadHomes(kernel, task, codes)
  writeCodes(task.codes, task.firstNode, kernel.u8(codes, homeCount * ops.rowBytes))
  const nodes = new Uint32Array(memberCount)
  for (let i = 0; i < homeCount; i++) nodes[i] = task.firstNode + i
  loadReplicas(kernel, task, codes + homeCount * ops.rowBytes, nodes.subarray(homeCount))

  const graph = await buildGraph(kernel, task, codes, memberCount)
  return { checksums, runs: writeRows(task, graph, nodes) }
}

/**
 * Puts each home row at its node's place (the numbering sorts them by ordinal), encodes it, and writes the vectors
 * of the whole shard in one forward run.
 */
function loadHomes(kernel: Kernel, task: ShardTask, codes: number): PartChecksums | undefined {
  const { spec, homeKind, homeCount } = task
  const ops = codeOps(kernel, spec)
  const rowBytes = rowBytesOf(homeKind, spec)
  const mark = kernel.mark()
  const rows = homeKind === 'codes' ? codes : kernel.alloc(homeCount * rowBytes)
  const target = kernel.u8(rows, homeCount * rowBytes)
  eachRecord(task.homes, recordBytesOf(homeKind, spec), (ordinal, bytes, at) => {
    const place = (task.nodeOfOrdinal[ordinal] - task.firstNode) * rowBytes
    target.set(bytes.subarray(at, at + rowBytes), place)
  })
  if (homeKind === 'vectors') {
    const mean = kernel.alloc(4 * spec.codeDims)
    kernel.f32(mean, spec.codeDims).set(spec.mean)
    ops.encode(rows, homeCount, mean, codes)
  }
  const checksums = task.vectors && writePart(task.vectors, kernel.u8(rows, homeCount * rowBytes))
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
function loadReplicas(kernel: Kernel, task: ShardTask, codes: number, nodes: Uint32Array): void {
  const { spec, replicaCount } = task
  const { rowBytes } = codeOps(kernel, spec)
  const mark = kernel.mark()
  const unordered = kernel.alloc(replicaCount * rowBytes)
  const unorderedCodes = kernel.u8(unordered, replicaCount * rowBytes)
  // Node in the high half and arrival in the low half of one number: a numeric sort orders both at once.
  const keys = new Float64Array(replicaCount)
  let arrived = 0
  eachRecord(task.replicas, recordBytesOf('codes', spec), (ordinal, bytes, at) => {
    unorderedCodes.set(bytes.subarray(at, at + rowBytes), arrived * rowBytes)
    keys[arrived] = task.nodeOfOrdinal[ordinal] * 2 ** 21 + arrived
    arrived++
  })
  keys.sort()
  const placed = kernel.u8(codes, replicaCount * rowBytes)
  for (let i = 0; i < replicaCount; i++) {
    nodes[i] = Math.floor(keys[i] / 2 ** 21)
    const from = (keys[i] % 2 ** 21) * rowBytes
    placed.set(unorderedCodes.subarray(from, from + rowBytes), i * rowBytes)
  }
  kernel.release(mark)
}

function eachRecord(
  refs: readonly BatchRef<null>[],
  recordBytes: number,
  visit: (ordinal: number, bytes: Uint8Array, rowAt: number) => void,
): void {
  for (const batch of readBatches<null>(refs)) {
    const view = new DataView(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength)
    for (let i = 0; i < batch.count; i++) visit(view.getUint32(i * recordBytes, true), batch.bytes, i * recordBytes + 4)
  }
}

function writeRows(task: ShardTask, graph: ShardGraph, nodes: Uint32Array): ShardResult['runs'] {
  const { segmentStarts, output } = task
  // Members by node: homes are one ascending run, replicas another; rows go out segment by segment.
  const order = Uint32Array.from(nodes.keys()).sort((a, b) => nodes[a] - nodes[b])
  const words = new Uint32Array(output.buffer, output.byteOffset, output.byteLength >>> 2)
  const runs: { segment: number; rows: number; bytes: number }[] = []
  let at = 0
  let segment = -1
  let segmentEnd = 0
  for (const member of order) {
    const node = nodes[member]
    if (node >= segmentEnd) {
      segment = rangeOf(segmentStarts, node)
      segmentEnd = segmentStarts[segment + 1]
      runs.push({ segment, rows: 0, bytes: 0 })
    }
    const from = graph.offsets[member]
    const degree = graph.offsets[member + 1] - from
    const open = runs[runs.length - 1]
    if (open.rows > 0 && open.bytes + 8 + 8 * degree > task.runBytes) runs.push({ segment, rows: 0, bytes: 0 })
    words[at] = node
    words[at + 1] = degree
    for (let i = 0; i < degree; i++) {
      words[at + 2 + i] = nodes[graph.neighbours[from + i]]
      words[at + 2 + degree + i] = graph.distanceWords[from + i]
    }
    at += 2 + 2 * degree
    const run = runs[runs.length - 1]
    run.rows++
    run.bytes += 8 + 8 * degree
  }
  return runs
}
