/**
 * Partition, all pairs, prune: a shard graph without any graph search (DESIGN section 6.1, after "PiPNN: Ultra-Scalable
 * Graph-Based Nearest Neighbor Indexing", arXiv 2602.21247). Nearly all time goes to the distance tile.
 */

import type { Kernel } from '../../../kernel/kernel.js'
import { EngineError } from '../../errors.js'
import type { EngineParams, Shard, ShardEngine, ShardGraph } from '../shard-engine.js'
import { fillReservoirs } from './carve.js'
import { codeKernel } from './code-kernel.js'
import { fillDirections, randomWords } from './directions.js'
import { workerBytes } from './engine-bytes.js'
import { DIRECTIONS, memberRegions, recordBytes, rowRegions, type ShardSizes } from './layout.js'
import { pipnnParameters } from './parameters.js'

/** α of the prune, on squared distances (DESIGN section 6.3: .967 at ef 32 against .951 without it). */
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
  const { count, codeDims, codes, kind } = shard
  const ops = codeKernel(kernel, shard)
  const parameters = pipnnParameters(quality, m)
  const sizes: ShardSizes = { count, codeDims, rowBytes: ops.rowBytes, degree: 2 * m }
  const words = randomWords(seed)
  const at = allocEach(kernel, memberRegions(sizes, parameters))

  const list = kernel.u32(at.list, count)
  for (let member = 0; member < count; member++) list[member] = member
  ops.norms(codes, count, at.norms)
  const directions =
    kind === 'i16' ? kernel.i16(at.directions, DIRECTIONS * codeDims) : kernel.f32(at.directions, DIRECTIONS * codeDims)
  fillDirections(directions, kind, codeDims, words)
  const stride = recordBytes(parameters.reservoir)
  const sketch = kind === 'i16' ? fn.pipnnSketchI16 : fn.pipnnSketchF32
  sketch(codes, count, codeDims, at.directions, at.records, stride)

  fillReservoirs(kernel, ops, { ...at, sizes, codes, recordBytes: stride }, parameters, words)

  const prune = kind === 'i16' ? fn.pipnnPruneI16 : fn.pipnnPruneF32
  const { reservoir, shardDegree } = parameters
  prune(codes, at.norms, codeDims, at.list, count, at.records, stride, reservoir, shardDegree, ALPHA, at.scratch)
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
  { codes, codeDims, kind }: Shard,
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
  join(codes, codeDims, count, degree, counts, neighbours, words, parents)
  const entries = fn.pipnnCompact(count, degree, maxDegree, counts, neighbours, words, offsets)
  return {
    offsets: kernel.u32(offsets, count + 1).slice(),
    neighbours: kernel.u32(neighbours, entries).slice(),
    distanceWords: kernel.u32(words, entries).slice(),
  }
}
