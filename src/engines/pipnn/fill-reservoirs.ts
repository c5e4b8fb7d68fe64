/** Ball carving and leaves, steps 1 and 2 of the engine: fills the reservoirs of all members. */

import type { Block } from '../../../kernel/block.js'
import type { Kernel } from '../../../kernel/kernel.js'
import type { TypedOps } from '../../../kernel/typed-ops.js'
import { coprimeStride } from '../coprime-stride.js'
import { CHUNK_ROWS, carveRegions, leaderCount, leafCapacity, smallBall, type ShardSizes } from './shard-sizes.js'
import type { PipnnParameters } from './pipnn-parameters.js'

/** A shard with empty reservoirs. Addresses are in kernel memory. */
export interface PreparedShard {
  readonly sizes: ShardSizes
  readonly block: Block<'PipnnShard'>
  /** Members to carve, u32 each. */
  readonly list: number
  readonly isFloat: boolean
}

/**
 * A ball did not shrink if its largest part has more than this share: its members are (nearly) equally far from each
 * leader.
 */
const STUCK_SHARE = 7 / 8

type Regions = { readonly [Name in keyof ReturnType<typeof carveRegions>]: number }

export function fillReservoirs(
  kernel: Kernel,
  ops: TypedOps,
  shard: PreparedShard,
  parameters: PipnnParameters,
  seeds: () => number,
): void {
  const mark = kernel.mark()
  try {
    const at = Object.fromEntries(
      Object.entries(carveRegions(shard.sizes, parameters)).map(([name, bytes]) => [name, kernel.alloc(bytes)]),
    ) as Regions
    kernel.u32(at.stamps, shard.sizes.count).fill(0)
    new Carver(kernel, ops, shard, parameters, seeds, at).run()
  } finally {
    kernel.release(mark)
  }
}

/** One carving. Balls are in `at.balls`. A ball is carved in place, with `at.scattered` as scratch. */
class Carver {
  readonly #kernel: Kernel
  readonly #ops: TypedOps
  readonly #shard: PreparedShard
  readonly #parameters: PipnnParameters
  readonly #seeds: () => number
  readonly #at: Regions
  #bucketCount = 0
  /** Marks the members of the open bucket. */
  #bucketStamp = 1

  constructor(
    kernel: Kernel,
    ops: TypedOps,
    shard: PreparedShard,
    parameters: PipnnParameters,
    seeds: () => number,
    at: Regions,
  ) {
    this.#kernel = kernel
    this.#ops = ops
    this.#shard = shard
    this.#parameters = parameters
    this.#seeds = seeds
    this.#at = at
  }

  run(): void {
    const { list, sizes } = this.#shard
    const { count } = sizes
    const { fanOut, leafSize } = this.#parameters
    if (count <= leafSize) {
      this.#leaf(list, count)
      return
    }
    const leaders = leaderCount(count, fanOut, leafSize)
    const joined = Math.min(fanOut, leaders)
    const ends = this.#scatter(list, count, leaders, joined, this.#at.balls)
    this.#carveAll(this.#at.balls, ends)
    this.#flush()
  }

  #carveAll(first: number, ends: Uint32Array): void {
    for (let ball = 0; ball + 1 < ends.length; ball++) {
      this.#carve(first + 4 * ends[ball], ends[ball + 1] - ends[ball])
    }
  }

  #carve(ball: number, count: number): void {
    const { leafSize } = this.#parameters
    if (count === 0) return
    if (count < smallBall(leafSize)) {
      this.#collect(ball, count)
      return
    }
    if (count <= leafSize) {
      this.#leaf(ball, count)
      return
    }
    const leaders = leaderCount(count, 1, leafSize)
    const ends = this.#scatter(ball, count, leaders, 1, this.#at.scattered)
    const largest = ends.reduce((most, end, i) => (i === 0 ? 0 : Math.max(most, end - ends[i - 1])), 0)
    if (largest > leafSize && largest > STUCK_SHARE * count) {
      this.#kernel.fn.pipnnShuffle(ball, count, count, this.#seeds())
      const half = count >> 1
      this.#carve(ball, half)
      this.#carve(ball + 4 * half, count - half)
      return
    }
    this.#kernel.u32(ball, count).set(this.#kernel.u32(this.#at.scattered, count))
    this.#carveAll(ball, ends)
  }

  /**
   * Writes the members of a list to `out`, by their nearest `fanOut` of `leaders` random ones. Returns the balls'
   * bounds.
   */
  #scatter(list: number, count: number, leaders: number, fanOut: number, out: number): Uint32Array {
    const { fn } = this.#kernel
    const { block, isFloat } = this.#shard
    const at = this.#at
    fn.pipnnShuffle(list, count, leaders, this.#seeds())
    fn.pipnnGather(block, list, leaders, at.targetRows, at.targetNorms)
    this.#ops.pack(at.targetRows, leaders, at.panels)
    const targets = { panels: at.panels, norms: at.targetNorms, count: leaders }
    for (let from = 0; from < count; from += CHUNK_ROWS) {
      const rows = Math.min(CHUNK_ROWS, count - from)
      fn.pipnnGather(block, list + 4 * from, rows, at.queryRows, at.queryNorms)
      this.#ops.distances({ rows: at.queryRows, norms: at.queryNorms, count: rows }, targets, at.matrix, leaders)
      const assigned = at.assigned + 4 * from * fanOut
      fn.pipnnNearestLeaders(block, isFloat, list + 4 * from, rows, list, leaders, fanOut, at.matrix, assigned)
    }
    fn.pipnnScatter(list, count, fanOut, at.assigned, leaders, at.starts, out)
    return this.#kernel.u32(at.starts, leaders + 1).slice()
  }

  /** Adds a small ball to the bucket. The bucket holds a member of two balls once. */
  #collect(ball: number, count: number): void {
    const { leafSize } = this.#parameters
    const members = this.#kernel.u32(ball, count)
    const bucket = this.#kernel.u32(this.#at.bucket, leafCapacity(leafSize))
    const stamps = this.#kernel.u32(this.#at.stamps, this.#shard.sizes.count)
    for (const member of members) {
      if (stamps[member] === this.#bucketStamp) continue
      stamps[member] = this.#bucketStamp
      bucket[this.#bucketCount++] = member
    }
    if (this.#bucketCount >= smallBall(leafSize)) this.#flush()
  }

  #flush(): void {
    if (this.#bucketCount > 0) this.#leaf(this.#at.bucket, this.#bucketCount)
    this.#bucketCount = 0
    this.#bucketStamp++
  }

  /** Compares all pairs of a leaf, and offers each member and its nearest to each other. */
  #leaf(list: number, count: number): void {
    if (count < 2) return
    const { fn } = this.#kernel
    const { block, isFloat } = this.#shard
    const { leafK, reservoir } = this.#parameters
    const { rowBytes } = this.#ops
    const at = this.#at
    // A leaf this small is a whole shard: no other leaf links its members.
    const k = count - 1 <= reservoir ? count - 1 : leafK
    this.#spread(list, count)
    fn.pipnnGather(block, list, count, at.targetRows, at.targetNorms)
    this.#ops.pack(at.targetRows, count, at.panels)
    // Computes half of the matrix, each chunk of rows from its own first column on, and mirrors it to the other half.
    const stride = 4 * Math.ceil(count / 4)
    for (let from = 0; from < count; from += CHUNK_ROWS) {
      const rows = Math.min(CHUNK_ROWS, count - from)
      const first = { rows: at.targetRows + from * rowBytes, norms: at.targetNorms + 4 * from }
      const targets = { panels: at.panels + from * rowBytes, norms: first.norms, count: count - from }
      const row = at.matrix + 4 * from * stride
      this.#ops.distances({ ...first, count: rows }, targets, row + 4 * from, stride)
      fn.pipnnMirror(at.matrix, stride, from, rows)
    }
    fn.pipnnOffer(block, list, count, at.matrix, stride, k)
    fn.pipnnOfferFar(block, isFloat, list, count, at.matrix, stride)
  }

  /** Reorders a leaf, whose list may be sorted: any run of members is then from all over it, as far candidates need. */
  #spread(list: number, count: number): void {
    const members = this.#kernel.u32(list, count)
    const ordered = members.slice()
    const stride = coprimeStride(count)
    for (let i = 0; i < count; i++) members[i] = ordered[(i * stride) % count]
  }
}
