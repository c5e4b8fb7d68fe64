// The final links of a chunk of nodes: the rows of each node are united by (distance word, node), pruned, filled up, and
// written as `[count][maxDegree x node]`.
import { placeOf } from './merge-places'
import { pruneWithNorms } from './prune'

/**
 * Loads a row as sorted u64 entries, word above node, without repeats; returns where they end. Rows are sorted except
 * for ties, which are in the order of the shard's members.
 */
@inline
function loadRow(place: usize, entries: usize): usize {
  const count = load<u32>(place)
  const wordsOffset = (<usize>count) << 2
  let end = entries
  for (let i: u32 = 0; i < count; i++) {
    place += 4
    const entry = ((<u64>load<u32>(place + wordsOffset)) << 32) | load<u32>(place)
    let at = end
    while (at > entries && load<u64>(at - 8) > entry) at -= 8
    if (at > entries && load<u64>(at - 8) === entry) continue
    for (let to = end; to > at; to -= 8) store<u64>(to, load<u64>(to - 8))
    store<u64>(at, entry)
    end += 8
  }
  return end
}

/** Unites two sorted lists without repeats. Returns where the union ends. */
@inline
function unite(a: usize, aEnd: usize, b: usize, bEnd: usize, out: usize): usize {
  while (a < aEnd && b < bEnd) {
    const x = load<u64>(a)
    const y = load<u64>(b)
    store<u64>(out, min<u64>(x, y))
    out += 8
    a += usize(x <= y) << 3
    b += usize(y <= x) << 3
  }
  for (; a < aEnd; a += 8, out += 8) store<u64>(out, load<u64>(a))
  for (; b < bEnd; b += 8, out += 8) store<u64>(out, load<u64>(b))
  return out
}

/**
 * A row that the prune leaves shorter than this gets its nearest ruled out candidates back. In a tight cluster, or beside
 * a hub, a few links rule out all others, and too few rows then lead to some nodes.
 */
@inline
function leastDegree(maxDegree: u32): u32 {
  return (5 * maxDegree) >> 3
}

/** `kept`: places in `list`, ascending. */
@inline
function writeKept(links: usize, list: usize, kept: usize, degree: u32): void {
  store<u32>(links, degree)
  for (let k: u32 = 0; k < degree; k++) {
    const at = (<usize>k) << 2
    store<u32>(links + at, load<u32>(list + ((<usize>load<u32>(kept + at)) << 3)), 4)
  }
}

/** Those kept and the nearest others, `least` in all, nearest first. */
function writeFilled(links: usize, list: usize, kept: usize, degree: u32, least: u32): void {
  store<u32>(links, least)
  const keptEnd = kept + ((<usize>degree) << 2)
  const linksEnd = links + ((<usize>least) << 2)
  let others = least - degree
  for (let place: u32 = 0; links < linksEnd; place++) {
    if (kept < keptEnd && load<u32>(kept) === place) kept += 4
    else if (others > 0) others--
    else continue
    links += 4
    store<u32>(links, load<u32>(list + ((<usize>place) << 3)))
  }
}

/** Fields: MERGE_LINKS in kernel/blocks.ts. */
@unmanaged
export class MergeLinks {
  alpha!: f64
  starts!: usize
  places!: usize
  from!: u32
  to!: u32
  bits!: usize
  ranks!: usize
  grid!: usize
  norms!: usize
  gridDims!: u32
  maxDegree!: u32
  widest!: u32
  scratch!: usize
  links!: usize
}

@inline
function link<T>(chunk: MergeLinks): u32 {
  const starts = chunk.starts
  const places = chunk.places
  const to = chunk.to
  const bits = chunk.bits
  const ranks = chunk.ranks
  const grid = chunk.grid
  const norms = chunk.norms
  const gridDims = chunk.gridDims
  const maxDegree = chunk.maxDegree
  const alpha = chunk.alpha
  const scratch = chunk.scratch
  let links = chunk.links
  const rowBytes = gridDims * sizeof<T>()
  const listBytes = (<usize>chunk.widest) << 3
  const loaded = scratch
  const pointers = scratch + 3 * listBytes
  const distances = pointers + (listBytes >> 1)
  const candidateNorms = distances + (listBytes >> 1)
  const kept = candidateNorms + (listBytes >> 1)
  let degreeSum: u32 = 0
  for (let i = chunk.from; i < to; i++) {
    let list = scratch + listBytes
    let other = list + listBytes
    let listEnd = list
    const lastRow = load<u32>(starts + ((<usize>i) << 2), 4)
    for (let r = load<u32>(starts + ((<usize>i) << 2)); r < lastRow; r++) {
      const loadedEnd = loadRow(<usize>load<u32>(places + ((<usize>r) << 2)), loaded)
      const end = unite(list, listEnd, loaded, loadedEnd, other)
      const united = other
      other = list
      list = united
      listEnd = end
    }
    const count = <u32>((listEnd - list) >> 3)
    for (let c: u32 = 0; c < count; c++) {
      const entry = load<u64>(list + ((<usize>c) << 3))
      const at = (<usize>c) << 2
      const candidate = placeOf(bits, ranks, <u32>entry)
      store<u32>(pointers + at, <u32>grid + candidate * rowBytes)
      store<u32>(candidateNorms + at, load<u32>(norms + ((<usize>candidate) << 2)))
      store<u32>(distances + at, <u32>(entry >> 32))
    }
    const degree = pruneWithNorms<T>(pointers, candidateNorms, distances, count, gridDims, maxDegree, alpha, kept)
    const least = min<u32>(count, leastDegree(maxDegree))
    if (degree < least) writeFilled(links, list, kept, degree, least)
    else writeKept(links, list, kept, degree)
    links += ((<usize>maxDegree) + 1) << 2
    degreeSum += max<u32>(degree, least)
  }
  return degreeSum
}

export function mergeLinksI16(chunk: MergeLinks): u32 {
  return link<i16>(chunk)
}

export function mergeLinksF32(chunk: MergeLinks): u32 {
  return link<f32>(chunk)
}
