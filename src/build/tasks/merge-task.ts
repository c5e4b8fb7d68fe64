import type { Kernel } from '../../../kernel/kernel.js'
import { readBatches, type BatchRef } from '../../../spill/index.js'
import type { PartChecksums } from '../../format/part-writer.js'
import { readCodes, type CodeStore } from '../code-store.js'
import type { CodeSpec } from '../code-spec.js'
import { CandidateList, NodePlaces } from './candidate-lists.js'
import { codeOps, type CodeOps } from './code-ops.js'
import { writePart } from './shard-task.js'

/** Unites the shard rows of one segment's nodes into final links. */
export interface MergeTask {
  readonly rows: readonly BatchRef<null>[]
  readonly rowBytes: number
  readonly firstNode: number
  readonly count: number
  readonly spec: CodeSpec
  readonly codes: CodeStore
  readonly maxDegree: number
  /** Codes held at once; the segment is pruned in chunks of nodes that stay below it. */
  readonly chunkBytes: number
  /** The links segment; absent in upper layers, whose links go to the output. */
  readonly links: { readonly path: string; readonly dataOffset: number } | undefined
  readonly output: Uint8Array | undefined
}

export interface MergeResult {
  readonly checksums: PartChecksums | undefined
  readonly degreeSum: number
}

/**
 * Unites a node's rows from all shards it was in, drops repeats, sorts by distance, prunes (α = 1.2, at most
 * `maxDegree`) and writes the segment: fixed rows of `[u32 count][maxDegree x u32 node]`.
 */
export function mergeSegment(kernel: Kernel, task: MergeTask): MergeResult {
  const stride = 1 + task.maxDegree
  // In kernel memory, like everything large here: it is used again, and never fragments a heap.
  const links = kernel.alloc(4 * task.count * stride)
  kernel.u8(links, 4 * task.count * stride).fill(0)
  const rows = loadRows(kernel, task)
  let degreeSum = 0
  let from = 0
  while (from < task.count) {
    const to = chunkEnd(task, rows, from)
    degreeSum += mergeChunk(kernel, task, rows, from, to, links)
    from = to
  }
  const bytes = kernel.u8(links, 4 * task.count * stride)
  task.output?.set(bytes)
  return { checksums: task.links && writePart(task.links, bytes), degreeSum }
}

/** Shard rows of the segment, findable by node: rows of node i are `places[starts[i] .. starts[i + 1])`. */
interface SegmentRows {
  readonly words: () => Uint32Array
  readonly starts: Uint32Array
  /** Word index of each row's neighbour count. */
  readonly places: Uint32Array
}

function loadRows(kernel: Kernel, task: MergeTask): SegmentRows {
  const { firstNode, count } = task
  const base = kernel.alloc(task.rowBytes)
  const bytes = kernel.u8(base, task.rowBytes)
  let filled = 0
  for (const batch of readBatches<null>(task.rows)) {
    bytes.set(batch.bytes, filled)
    filled += batch.bytes.length
  }
  const words = (): Uint32Array => kernel.u32(base, filled >>> 2)
  const all = words()
  const starts = new Uint32Array(count + 1)
  eachRow(all, (node) => starts[node - firstNode + 1]++)
  for (let i = 0; i < count; i++) starts[i + 1] += starts[i]
  const places = new Uint32Array(starts[count])
  const next = starts.slice(0, count)
  eachRow(all, (node, place) => {
    places[next[node - firstNode]++] = place
  })
  return { words, starts, places }
}

function eachRow(words: Uint32Array, visit: (node: number, place: number) => void): void {
  for (let at = 0; at < words.length; at += 2 + 2 * words[at + 1]) visit(words[at], at + 1)
}

/** Furthest node such that the candidates of [from, end) cannot need more than chunkBytes of codes. */
function chunkEnd(task: MergeTask, rows: SegmentRows, from: number): number {
  const words = rows.words()
  const limit = Math.max(1, Math.floor(task.chunkBytes / task.codes.rowBytes))
  let candidates = 0
  let end = from
  while (end < task.count) {
    for (let i = rows.starts[end]; i < rows.starts[end + 1]; i++) candidates += words[rows.places[i]]
    if (candidates > limit && end > from) break
    end++
  }
  return end
}

function mergeChunk(
  kernel: Kernel,
  task: MergeTask,
  rows: SegmentRows,
  from: number,
  to: number,
  links: number,
): number {
  const mark = kernel.mark()
  const ops = codeOps(kernel, task.spec)
  const words = rows.words()
  const needed = new NodePlaces(4096)
  let widest = 0
  for (let i = from; i < to; i++) {
    let candidates = 0
    for (let r = rows.starts[i]; r < rows.starts[i + 1]; r++) {
      const place = rows.places[r]
      for (let c = 1; c <= words[place]; c++) needed.add(words[place + c])
      candidates += words[place]
    }
    widest = Math.max(widest, candidates)
  }
  const nodes = needed.sorted()
  const codes = kernel.alloc(nodes.length * ops.rowBytes)
  readCodes(task.codes, nodes, kernel.u8(codes, nodes.length * ops.rowBytes))
  const room = { pointers: kernel.alloc(4 * widest), words: kernel.alloc(4 * widest), kept: kernel.alloc(4 * widest) }
  const list = new CandidateList(widest + 1)
  const loaded = rows.words()
  let degreeSum = 0
  for (let i = from; i < to; i++) {
    list.clear()
    for (let r = rows.starts[i]; r < rows.starts[i + 1]; r++) {
      const place = rows.places[r]
      const degree = loaded[place]
      for (let c = 1; c <= degree; c++) list.insert(loaded[place + c], loaded[place + degree + c])
    }
    degreeSum += pruneInto(kernel, ops, list, { codes, places: needed }, room, task.maxDegree, links, i)
  }
  kernel.release(mark)
  return degreeSum
}

function pruneInto(
  kernel: Kernel,
  ops: CodeOps,
  list: CandidateList,
  loaded: { codes: number; places: NodePlaces },
  room: { pointers: number; words: number; kept: number },
  maxDegree: number,
  links: number,
  row: number,
): number {
  const pointers = kernel.u32(room.pointers, list.count)
  for (let c = 0; c < list.count; c++) pointers[c] = loaded.codes + loaded.places.placeOf(list.nodes[c]) * ops.rowBytes
  kernel.u32(room.words, list.count).set(list.words.subarray(0, list.count))
  const degree = ops.prune(room.pointers, room.words, list.count, maxDegree, room.kept)
  const kept = kernel.u32(room.kept, degree)
  const into = kernel.u32(links + 4 * row * (1 + maxDegree), 1 + degree)
  into[0] = degree
  for (let k = 0; k < degree; k++) into[1 + k] = list.nodes[kept[k]]
  return degree
}
