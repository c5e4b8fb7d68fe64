import { crc32 } from '../../../spill/files/crc32.js'
import type { Kernel } from '../../../kernel/kernel.js'
import { sampleRows } from '../../plan/sample-rows.js'
import type { BuildSizes } from '../../plan/stage-memory.js'
import type { GridSpec } from '../../rows/grid-spec.js'
import { packLeaders } from './assign-flat.js'
import { withCells } from './leader-cells.js'
import type { Leaders } from './leaders.js'
import { gridEncoder, gridOps, type GridOps } from '../../rows/grid-ops.js'

/** Picks the leaders of a layer from its sample. */
export interface LeadersTask {
  /** Sampled rows in random order: float32 vectors, or grid rows when the layer has no vectors. */
  readonly sample: { readonly kind: 'vectors' | 'grid'; readonly bytes: Uint8Array; readonly count: number }
  readonly spec: GridSpec
  readonly leaderCount: number
  /** Shards a vector goes to. The number of members, homes and replicas, is what is evened out. */
  readonly overlap: number
}

export interface LeadersResult {
  readonly leaders: Leaders
}

/**
 * Rounds on the sample. The ratio of the largest shard to the average, with 25 leaders of SIFT and 5 of WordNet, is
 * 1.14 and 1.04. When means and handicaps move together to the end, it is 1.23 and 1.52. With k-means alone, and more
 * and smaller shards, it is 1.5 and 2.4.
 */
const ROUNDS = 24
/** In the first MOVING_ROUNDS rounds, leaders move from sparse to crowded places. */
const MOVING_ROUNDS = 8
/**
 * In the first MEAN_ROUNDS rounds, each leader moves to the mean of its members. Later rounds change only handicaps,
 * and the most even one is used.
 */
const MEAN_ROUNDS = 12
/** How much of a cluster's excess over the average becomes handicap in one round, in mean distances to the leader. */
const HANDICAP_STEP = 0.1
/** This limit keeps the sum of a handicap and the largest distance of two i16 codes, 2e9, below 2^31. */
const MAX_HANDICAP = 1.4e8
/** With fewer sampled rows per leader than this, means are noise: leaders stay sampled rows. */
const MIN_ROWS_PER_LEADER = 8
/** A leader with less than SPARSE_SHARE of the average splits a cluster with more than CROWDED_SHARE of it. */
const SPARSE_SHARE = 0.7
const CROWDED_SHARE = 1.3
/**
 * The halves of a split cluster start this share of the way from its mean to one of its members, in opposite
 * directions.
 */
const SPLIT_STEP = 0.25
/** Bytes of the sample's grid rows, and of leaders, their sums and their copies while they are packed. */
export function leadersTaskBytes({ count, dimensions, gridRowBytes, geometry }: BuildSizes): number {
  return sampleRows(count, dimensions) * (gridRowBytes + 8) + geometry.shardCount * (8 * gridRowBytes + 4 * CHUNK_ROWS)
}

/** Query rows per tile call: their distances stay in the L2 cache. */
const CHUNK_ROWS = 64

/**
 * Chooses leaders from the sample and evens them out with k-means in code space. In the first rounds, the leader of a
 * sparse cluster moves next to that of a crowded one and splits it. Handicaps even out what is left, so that shards
 * have similar sizes. Deterministic for a sample.
 */
export function chooseLeaders(kernel: Kernel, task: LeadersTask): LeadersResult {
  const { spec, sample } = task
  const ops = gridOps(kernel, spec)
  const codes = loadSampleCodes(kernel, task, ops)
  const firstRows = distinctRows(kernel.u8(codes, sample.count * ops.rowBytes), ops.rowBytes, task.leaderCount)
  const count = firstRows.length
  const leaders = kernel.alloc(count * ops.rowBytes)
  firstRows.forEach((row, i) => copyRow(kernel, ops.rowBytes, codes + row * ops.rowBytes, leaders + i * ops.rowBytes))

  const handicaps = new Float64Array(count)
  if (count > 1 && sample.count >= count * MIN_ROWS_PER_LEADER) {
    const rows = { codes, count: sample.count }
    let step = HANDICAP_STEP
    let last = Number.POSITIVE_INFINITY
    let even = { largest: Number.POSITIVE_INFINITY, leaders: leadersAt(kernel, ops, leaders, handicaps) }
    for (let round = 0; round < ROUNDS; round++) {
      const packed = leadersAt(kernel, ops, leaders, handicaps)
      const { home, counts, meanDistances } = assignNearest(kernel, ops, rows, packed, Math.min(task.overlap, count))
      let moved: ReadonlySet<number> = new Set()
      if (round < MEAN_ROUNDS) {
        moved = moveToMeans(kernel, spec, rows, { codes: leaders, count }, home, counts, round)
      } else {
        const largest = counts.reduce((a, b) => Math.max(a, b))
        if (largest < even.largest) even = { largest, leaders: packed }
        // Members move back and forth between leaders. Smaller steps make this converge.
        if (largest > last) step /= 2
        last = largest
      }
      adjustHandicaps(handicaps, counts, meanDistances, moved, step, spec.kind)
    }
    return { leaders: withCells(kernel, ops, even.leaders) }
  }
  return { leaders: withCells(kernel, ops, leadersAt(kernel, ops, leaders, handicaps)) }
}

/** Leaders as plain data: their codes, and their handicaps in the unit of distances. */
function leadersAt(kernel: Kernel, ops: GridOps, at: number, handicaps: Float64Array): Leaders {
  const codes = new Uint8Array(new SharedArrayBuffer(handicaps.length * ops.rowBytes))
  codes.set(kernel.u8(at, codes.length))
  return { codes, handicaps: Float64Array.from(handicaps, Math.round), count: handicaps.length }
}

/**
 * In the next round a crowded leader appears farther away, and a sparse one nearer (an additively weighted Voronoi
 * diagram). This evens out clusters where means cannot, as on a sphere in many dimensions, where the leader nearest to
 * the middle is the nearest of nearly all vectors.
 */
function adjustHandicaps(
  handicaps: Float64Array,
  counts: Uint32Array,
  meanDistances: Float64Array,
  moved: ReadonlySet<number>,
  step: number,
  kind: GridSpec['kind'],
): void {
  const average = counts.reduce((sum, count) => sum + count, 0) / counts.length
  counts.forEach((count, leader) => {
    if (moved.has(leader)) handicaps[leader] = 0
    else handicaps[leader] += step * meanDistances[leader] * Math.max(-1, Math.min(1, count / average - 1))
  })
  const least = handicaps.reduce((a, b) => Math.min(a, b))
  const most = kind === 'i16' ? MAX_HANDICAP : Number.POSITIVE_INFINITY
  for (let leader = 0; leader < handicaps.length; leader++) {
    handicaps[leader] = Math.min(most, handicaps[leader] - least)
  }
}

function loadSampleCodes(kernel: Kernel, { sample, spec }: LeadersTask, ops: GridOps): number {
  const codes = kernel.alloc(sample.count * ops.rowBytes)
  if (sample.kind === 'grid') {
    kernel.u8(codes, sample.bytes.length).set(sample.bytes)
    return codes
  }
  const mark = kernel.mark()
  const rowBytes = 4 * spec.dimensions
  const encode = gridEncoder(kernel, spec)
  const rows = kernel.alloc(CHUNK_ROWS * rowBytes)
  for (let at = 0; at < sample.count; at += CHUNK_ROWS) {
    const chunk = sample.bytes.subarray(at * rowBytes, (at + CHUNK_ROWS) * rowBytes)
    kernel.u8(rows, chunk.length).set(chunk)
    encode(rows, chunk.length / rowBytes, codes + at * ops.rowBytes)
  }
  kernel.release(mark)
  return codes
}

/**
 * The first `wanted` rows with different bytes, because two leaders at one place would split nothing. Rows are
 * distinguished by checksum; skipping a row because of a collision is harmless.
 */
function distinctRows(codes: Uint8Array, rowBytes: number, wanted: number): number[] {
  const seen = new Set<number>()
  const rows: number[] = []
  for (let row = 0; row * rowBytes < codes.length && rows.length < wanted; row++) {
    const sum = crc32(codes.subarray(row * rowBytes, (row + 1) * rowBytes))
    if (seen.has(sum)) continue
    seen.add(sum)
    rows.push(row)
  }
  return rows
}

interface Rows {
  readonly codes: number
  readonly count: number
}

function assignNearest(
  kernel: Kernel,
  ops: GridOps,
  rows: Rows,
  leaders: Leaders,
  overlap: number,
): { home: Uint32Array; counts: Uint32Array; meanDistances: Float64Array } {
  const mark = kernel.mark()
  const counts = new Uint32Array(leaders.count)
  const home = new Uint32Array(rows.count)
  const target = packLeaders(kernel, ops, leaders)
  const norms = kernel.alloc(4 * CHUNK_ROWS)
  const distances = kernel.alloc(4 * CHUNK_ROWS * leaders.count)
  const nearest = kernel.alloc(8 * overlap)
  // Nothing is allocated until they are no longer used. A view per row would be most of the garbage of this task.
  const shards = kernel.u32(nearest, overlap)
  const nearestDistance = ops.distancesAt(nearest + 4 * overlap, 1)
  const homeCounts = new Uint32Array(leaders.count)
  const meanDistances = new Float64Array(leaders.count)
  for (let at = 0; at < rows.count; at += CHUNK_ROWS) {
    const count = Math.min(CHUNK_ROWS, rows.count - at)
    const codes = rows.codes + at * ops.rowBytes
    ops.norms(codes, count, norms)
    ops.distances({ rows: codes, norms, count }, target, distances, leaders.count)
    for (let i = 0; i < count; i++) {
      kernel.fn.nearestWords(distances + 4 * i * leaders.count, leaders.count, overlap, nearest, nearest + 4 * overlap)
      home[at + i] = shards[0]
      for (let j = 0; j < overlap; j++) counts[shards[j]]++
      homeCounts[shards[0]]++
      meanDistances[shards[0]] += nearestDistance[0]
    }
  }
  kernel.release(mark)
  // Relative to the leader's cluster: a step that suits a wide cluster would empty a dense one.
  homeCounts.forEach((count, leader) => {
    if (count > 0) meanDistances[leader] = Math.max(0, meanDistances[leader] / count - leaders.handicaps[leader])
  })
  return { home, counts, meanDistances }
}

/** Moves leaders to their means. Returns those that moved elsewhere to split a cluster. */
function moveToMeans(
  kernel: Kernel,
  spec: GridSpec,
  rows: Rows,
  leaders: Rows,
  home: Uint32Array,
  memberCounts: Uint32Array,
  round: number,
): Set<number> {
  const { gridDims } = spec
  const moved = new Set<number>()
  const mark = kernel.mark()
  const sumsAt = kernel.alloc(8 * leaders.count * gridDims)
  const squaresAt = kernel.alloc(8 * leaders.count)
  const countsAt = kernel.alloc(4 * leaders.count)
  const homeAt = kernel.alloc(4 * rows.count)
  const sums = kernel.f64(sumsAt, leaders.count * gridDims).fill(0)
  const squares = kernel.f64(squaresAt, leaders.count).fill(0)
  const counts = kernel.u32(countsAt, leaders.count).fill(0)
  kernel.u32(homeAt, rows.count).set(home)
  const addRows = spec.kind === 'i16' ? kernel.fn.clusterSumsI16 : kernel.fn.clusterSumsF32
  addRows(rows.codes, rows.count, gridDims, homeAt, sumsAt, squaresAt, countsAt)
  // The views above stay valid: nothing is allocated until they are no longer used.
  kernel.release(mark)
  const view = (at: number, count: number): Int16Array | Float32Array =>
    spec.kind === 'i16' ? kernel.i16(at, count * gridDims) : kernel.f32(at, count * gridDims)
  const rowCodes = view(rows.codes, rows.count)
  const leaderCodes = view(leaders.codes, leaders.count)
  const put = (leader: number, d: number, value: number): void => {
    leaderCodes[leader * gridDims + d] = spec.kind === 'i16' ? Math.round(value) : value
  }
  for (let leader = 0; leader < leaders.count; leader++) {
    if (counts[leader] === 0) continue
    const stretch = stretchOf(
      sums.subarray(leader * gridDims, (leader + 1) * gridDims),
      squares[leader],
      counts[leader],
    )
    for (let d = 0; d < gridDims; d++) put(leader, d, (stretch * sums[leader * gridDims + d]) / counts[leader])
  }
  if (round >= MOVING_ROUNDS) return moved
  const average = memberCounts.reduce((sum, count) => sum + count, 0) / leaders.count
  const bySize = Array.from(memberCounts.keys()).sort((a, b) => memberCounts[b] - memberCounts[a] || a - b)
  for (let i = 0; i < bySize.length >> 1; i++) {
    const crowded = bySize[i]
    const sparse = bySize[bySize.length - 1 - i]
    if (memberCounts[crowded] < average * CROWDED_SHARE || memberCounts[sparse] > average * SPARSE_SHARE) break
    if (counts[crowded] === 0) continue
    // The sample is in random order, so the next member from any position is a random one. Each round starts at another
    // position.
    const after = home.indexOf(crowded, (round * home.length) / ROUNDS)
    const member = after < 0 ? home.indexOf(crowded) : after
    for (let d = 0; d < gridDims; d++) {
      const mean = leaderCodes[crowded * gridDims + d]
      const step = SPLIT_STEP * (rowCodes[member * gridDims + d] - mean)
      put(sparse, d, mean + step)
      put(crowded, d, mean - step)
    }
    moved.add(sparse).add(crowded)
  }
  return moved
}

/**
 * Factor that scales a mean to the root mean square norm of its members. Means of wide clusters lie near the middle of
 * the data, where a leader is the nearest of nearly all vectors. At the radius of its members it is not.
 */
function stretchOf(sum: Float64Array, squaredNorms: number, count: number): number {
  let squaredSum = 0
  for (const component of sum) squaredSum += component * component
  return squaredSum > 0 ? Math.sqrt((squaredNorms * count) / squaredSum) : 1
}

function copyRow(kernel: Kernel, rowBytes: number, from: number, to: number): void {
  kernel.u8(to, rowBytes).set(kernel.u8(from, rowBytes))
}
