/**
 * The reference engine: hnswlib-wasm 0.8.2 builds an HNSW per shard, whose level-0 links are the shard graph. hnswlib
 * gets grid rows as float32 under l2, in which i16 components are exact.
 */

import type { HnswlibModule } from 'hnswlib-wasm/dist/hnswlib-317962d7.js'
import type { Kernel } from '../../../kernel/kernel.js'
import { EngineError, ShardloomError } from '../../errors.js'
import type { Quality } from '../../api/report.js'
import type { EngineParams, Shard, ShardEngine, ShardGraph } from '../shard-engine.js'
import { heapBytes, workerBytes } from './worker-bytes.js'
import { indexAddress, readLevel0 } from './index-layout.js'
import { insertMembers } from './insert-members.js'
import { ENGINE, dropHnswlib, loadHnswlib, type LoadedHnswlib } from './load-hnswlib.js'
import { readRows } from './read-rows.js'

/**
 * Measured with shards of about 8k members, overlap 2, m = 16, union and prune at 1.2; recall@10 at a beam of 32 / 64 /
 * 128, against one plain index at efConstruction 200. SIFT 40k x 128: 60 .964/.993/.999, 100 .964/.994/1.000, 200
 * .968/.996/1.000, plain .962/.991/.998. Text 20k x 384: 60 .915/.973/.998, 100 .935/.984/.998, 200 .951/.991/.999,
 * plain .906/.967/.990. Less than 100 saves a third of the time but costs recall on text.
 */
const EF_CONSTRUCTION: { readonly [Q in Quality]: number } = { balanced: 100, high: 200 }

/** The maximum that the module declares for its memory. */
const MAX_HEAP_BYTES = 2 ** 31

export const hnswlibWasmEngine: ShardEngine = {
  name: 'hnswlib-wasm',
  overlap: 2,
  shardMembers: 8192,
  build,
  workerBytes,
}

async function build(kernel: Kernel, shard: Shard, params: EngineParams): Promise<ShardGraph> {
  // hnswlib computes sizes in 32 bits: without this check they would wrap, and it would corrupt its heap instead of
  // failing.
  const neededBytes = heapBytes(shard.count, shard.gridDims, params.m)
  if (neededBytes > MAX_HEAP_BYTES) {
    throw new EngineError(
      ENGINE,
      `a shard of ${shard.count} members x ${shard.gridDims} components needs ${neededBytes} bytes of heap, ` +
        `the module has ${MAX_HEAP_BYTES} at most; use smaller shards`,
    )
  }
  const loaded = await loadHnswlib()
  try {
    return buildIn(loaded.module, kernel, shard, params)
  } catch (error) {
    dropHnswlib()
    throw explain(error, loaded, neededBytes)
  }
}

/** Synchronous, so that builds in a thread's one instance never interleave. */
function buildIn(
  module: HnswlibModule,
  kernel: Kernel,
  shard: Shard,
  { m, quality, seed, maxDegree }: EngineParams,
): ShardGraph {
  const efConstruction = EF_CONSTRUCTION[quality]
  const { count, gridDims } = shard
  const index = new module.HierarchicalNSW('l2', gridDims, '')
  index.initIndex(count, m, efConstruction, levelSeed(seed))
  const address = indexAddress(module.HEAPU32, index.$$.ptr)
  const empty = { members: count, count: 0, dimensions: gridDims, m, efConstruction }
  readLevel0(module.HEAPU32, address, empty)
  insertMembers(module, address, kernel, shard, empty)
  const level0 = readLevel0(module.HEAPU32, address, { ...empty, count })
  const graph = readRows(module.HEAPU32, level0, kernel, shard, maxDegree)
  // Frees the heap for the next shard. After an error the whole instance is dropped instead.
  index.delete()
  return graph
}

/**
 * hnswlib draws levels from minstd_rand, a generator with seeds from 1 to 2^31 - 2, whose first numbers follow the seed
 * closely. The seed is mixed first (murmur3's finalizer), so that neighbouring seeds give different levels. The
 * generator belongs to the index object: nothing carries over from one build to the next.
 */
function levelSeed(seed: number): number {
  let mixed = seed >>> 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  mixed = (mixed ^ (mixed >>> 16)) >>> 0
  return (mixed % (2 ** 31 - 2)) + 1
}

function explain(error: unknown, { module, takeErrorLine }: LoadedHnswlib, neededBytes: number): unknown {
  if (error instanceof ShardloomError) return error
  const printed = takeErrorLine()
  const thrown = isCppException(error) ? module.getExceptionMessage(error).join(': ') : String(error)
  const also = printed === undefined ? '' : ` (${printed})`
  return new EngineError(
    ENGINE,
    `the build, which needs about ${neededBytes} bytes of heap, failed: ${thrown}${also}`,
    error,
  )
}

function isCppException(error: unknown): boolean {
  return Object.prototype.toString.call(error) === '[object WebAssembly.Exception]'
}
