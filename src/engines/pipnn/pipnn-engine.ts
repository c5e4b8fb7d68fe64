/**
 * Partition, all pairs, prune: a shard graph without any graph search (after "PiPNN: Ultra-Scalable
 * Graph-Based Nearest Neighbor Indexing", arXiv 2602.21247). Nearly all time goes to the distance tile.
 */

import type { Kernel } from '../../../kernel/kernel.js'
import { EngineError } from '../../errors.js'
import type { EngineParams, Shard, ShardEngine, ShardGraph } from '../shard-engine.js'
import { fillReservoirs } from './fill-reservoirs.js'
import { codeKernel } from './code-kernel.js'
import { fillDirections, randomWords } from './fill-directions.js'
import { workerBytes } from './worker-bytes.js'
import { DIRECTIONS, memberRegions, recordBytes, rowRegions, type ShardSizes } from './shard-sizes.js'
import { pipnnParameters } from './pipnn-parameters.js'

/** α of the prune, on squared distances (on SIFT 100k recall@10 at ef 32 is .967 with it, .951 without). */
const ALPHA = 1.2
/** An index has 20 bits in a reservoir. */
const MAX_MEMBERS = 2 ** 20

export const pipnnEngine: ShardEngine = {
  name: 'pipnn',
  overlap: 3,
  shardMembers: 12_288,
  build,
  workerBytes,
}

async function build(kernel: Kernel, shard: Shard, params: EngineParams): Promise<ShardGraph> {
  if (shard.count > MAX_MEMBERS) {
    throw new EngineError(
      'pipnn',
      `a shard of ${shard.count} members, the engine takes ${MAX_MEMBERS}; use smaller shards`,
    )
  }
  const mark = kernel.mark()
  try {
    return buildIn(kernel, shard, params)
  } finally {
    kernel.release(mark)
  }
}

function buildIn(kernel: Kernel, shard: Shard, { m, seed, quality, maxDegree }: EngineParams): ShardGraph {
  const { fn } = kernel
  const { count, gridDims, codes, kind } = shard
  const ops = codeKernel(kernel, shard)
  const parameters = pipnnParameters(quality, m)
  const sizes: ShardSizes = { count, gridDims, rowBytes: ops.rowBytes, degree: 2 * m }
  const words = randomWords(seed)
  const at = allocEach(kernel, memberRegions(sizes, parameters))

  const list = kernel.u32(at.list, count)
  for (let member = 0; member < count; member++) list[member] = member
  ops.norms(codes, count, at.norms)
  const directions =
    kind === 'i16' ? kernel.i16(at.directions, DIRECTIONS * gridDims) : kernel.f32(at.directions, DIRECTIONS * gridDims)
  fillDirections(directions, kind, gridDims, words)
  const stride = recordBytes(parameters.reservoir)
  const sketch = kind === 'i16' ? fn.pipnnSketchI16 : fn.pipnnSketchF32
  sketch(codes, count, gridDims, at.directions, at.records, stride)

  fillReservoirs(kernel, ops, { ...at, sizes, codes, recordBytes: stride }, parameters, words)

  const prune = kind === 'i16' ? fn.pipnnPruneI16 : fn.pipnnPruneF32
  const { reservoir, shardDegree } = parameters
  prune(codes, at.norms, gridDims, at.list, count, at.records, stride, reservoir, shardDegree, ALPHA, at.scratch)
  return linkedRows(kernel, shard, sizes, at, { stride, reservoir, maxDegree })
}

type Regions<R> = { readonly [Name in keyof R]: number }
type MemberAddresses = Regions<ReturnType<typeof memberRegions>>

function allocEach<R extends Readonly<Record<string, number>>>(kernel: Kernel, regions: R): Regions<R> {
  return Object.fromEntries(
    Object.entries(regions).map(([name, bytes]) => [name, kernel.alloc(bytes)]),
  ) as unknown as Regions<R>
}

/** Reverse links and links between parts; then all rows as arrays of their own. */
function linkedRows(
  kernel: Kernel,
  { codes, gridDims, kind }: Shard,
  sizes: ShardSizes,
  members: MemberAddresses,
  { stride, reservoir, maxDegree }: { stride: number; reservoir: number; maxDegree: number },
): ShardGraph {
  const { fn } = kernel
  const { count, degree } = sizes
  const { list, records } = members
  const { counts, neighbours, words, offsets, parents } = allocEach(kernel, rowRegions(sizes))
  fn.pipnnLink(list, count, records, stride, reservoir, degree, counts, neighbours, words)
  const join = kind === 'i16' ? fn.pipnnJoinI16 : fn.pipnnJoinF32
  join(codes, gridDims, count, degree, counts, neighbours, words, parents)
  const entries = fn.pipnnCompact(count, degree, maxDegree, counts, neighbours, words, offsets)
  return {
    offsets: kernel.u32(offsets, count + 1).slice(),
    neighbours: kernel.u32(neighbours, entries).slice(),
    distanceWords: kernel.u32(words, entries).slice(),
  }
}
