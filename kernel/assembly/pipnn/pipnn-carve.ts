// Ball carving, step 1 of the engine pipnn: the work around the distance tile. A ball is a list of members, u32.
import { nearestWords } from '../distance/nearest'
import { offerFarOf } from './pipnn-far'
import { mixed } from './pipnn-mixed'
import { offerFar } from './pipnn-reservoir'
import { PipnnShard } from './pipnn-shard'

const GROWTH: u32 = 0x9e3779b9

export function pipnnShuffle(list: usize, count: u32, wanted: u32, seed: u32): void {
  let state = seed
  for (let i: u32 = 0; i < wanted; i++) {
    state += GROWTH
    const other = i + <u32>((<u64>mixed(state) * (count - i)) >> 32)
    const a = list + ((<usize>i) << 2)
    const b = list + ((<usize>other) << 2)
    const member = load<u32>(a)
    store<u32>(a, load<u32>(b))
    store<u32>(b, member)
  }
}

export function pipnnGather(shard: PipnnShard, list: usize, count: u32, outRows: usize, outNorms: usize): void {
  const grid = shard.grid
  const norms = shard.norms
  const rowBytes = <usize>shard.rowBytes
  for (let i: u32 = 0; i < count; i++) {
    const member = <usize>load<u32>(list + ((<usize>i) << 2))
    store<u32>(outNorms + ((<usize>i) << 2), load<u32>(norms + (member << 2)))
    const row = grid + member * rowBytes
    for (let at: usize = 0; at < rowBytes; at += 16) v128.store(outRows + at, v128.load(row + at))
    outRows += rowBytes
  }
}

export function pipnnNearestBalls(
  matrix: usize, rowCount: u32, ballCount: u32, fanOut: u32, out: usize, scratch: usize,
): void {
  for (let r: u32 = 0; r < rowCount; r++) {
    nearestWords(matrix, ballCount, fanOut, out, scratch)
    matrix += (<usize>ballCount) << 2
    out += (<usize>fanOut) << 2
  }
}

/** As pipnnNearestBalls; leaders are far candidates of those that they are nearest to, and the other way around. */
export function pipnnNearestLeaders(
  shard: PipnnShard, isFloat: bool, rows: usize, rowCount: u32, leaders: usize, ballCount: u32, fanOut: u32,
  matrix: usize, out: usize,
): void {
  const words = shard.scratch
  for (let r: u32 = 0; r < rowCount; r++) {
    const member = load<u32>(rows + ((<usize>r) << 2))
    nearestWords(matrix, ballCount, fanOut, out, words)
    for (let i: usize = 0; i < (<usize>fanOut) << 2; i += 4) {
      const leader = load<u32>(leaders + ((<usize>load<u32>(out + i)) << 2))
      if (leader === member) continue
      offerFar(shard, isFloat, member, leader, load<u32>(words + i))
      offerFar(shard, isFloat, leader, member, load<u32>(words + i))
    }
    for (let some: u32 = 4; some <= 16; some <<= 1) offerFarOf(shard, isFloat, member, matrix, leaders, ballCount, some)
    matrix += (<usize>ballCount) << 2
    out += (<usize>fanOut) << 2
  }
}

export function pipnnScatter(
  list: usize, count: u32, fanOut: u32, assigned: usize, ballCount: u32, starts: usize, out: usize,
): void {
  const entries = count * fanOut
  memory.fill(starts, 0, (<usize>ballCount + 1) << 2)
  for (let i: u32 = 0; i < entries; i++) {
    const at = starts + ((<usize>load<u32>(assigned + ((<usize>i) << 2))) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
  let end: u32 = 0
  for (let ball: u32 = 0; ball <= ballCount; ball++) {
    end += load<u32>(starts + ((<usize>ball) << 2))
    store<u32>(starts + ((<usize>ball) << 2), end)
  }
  // Each start is at its ball's end now, and moves down to its beginning while the list is read backwards.
  for (let i = entries; i > 0; i--) {
    const at = starts + ((<usize>load<u32>(assigned + ((<usize>(i - 1)) << 2))) << 2)
    const to = load<u32>(at) - 1
    store<u32>(at, to)
    store<u32>(out + ((<usize>to) << 2), load<u32>(list + ((<usize>((i - 1) / fanOut)) << 2)))
  }
}
