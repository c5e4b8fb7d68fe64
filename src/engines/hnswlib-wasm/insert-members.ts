/**
 * Puts the members of a shard into an index.
 *
 * The package's addPoint and addPoints turn a vector into a std::vector with one JavaScript call per component: 16 µs
 * for 128 dimensions, 160 µs for 1536, which was 21% of a build of 8192 x 128 and 8% of 8192 x 384 (efConstruction
 * 100). HierarchicalNSW::addPoint(const void*, label, bool) is virtual and the module exports its function table, so
 * this file calls it directly with the address of a row in the heap. The graph is the same. The first insertion is
 * checked before the others.
 */

import type { HnswlibModule } from 'hnswlib-wasm/dist/hnswlib-317962d7.js'
import type { Kernel } from '../../../kernel/kernel.js'
import { EngineError } from '../../errors.js'
import type { Shard } from '../shard-engine.js'
import { WORD, readLevel0, type ExpectedIndex } from './index-layout.js'
import { ENGINE } from './load-hnswlib.js'

/** The entry of addPoint, the first virtual function, in the vtable of hnswlib::AlgorithmInterface. */
const ADD_POINT_ENTRY = 0

type AddPoint = (index: number, row: number, label: number, replaceDeleted: number) => void

/** Labels are the members' local indexes. @throws EngineError, or a C++ exception. */
export function insertMembers(
  module: HnswlibModule,
  address: number,
  kernel: Kernel,
  shard: Shard,
  expected: ExpectedIndex,
): void {
  const { count, gridDims } = shard
  const addPoint = virtualAddPoint(module, address)
  const rowAddress = module.asm.malloc(4 * gridDims)
  if (rowAddress === 0) throw new EngineError(ENGINE, `no room in the heap for a row of ${gridDims} components`)
  try {
    const components =
      shard.kind === 'i16' ? kernel.i16(shard.grid, count * gridDims) : kernel.f32(shard.grid, count * gridDims)
    const rowWord = rowAddress / 4
    for (let member = 0; member < count; member++) {
      // Read again each time: the last insertion may have grown the heap.
      const heap = module.HEAPF32
      const first = member * gridDims
      for (let at = 0; at < gridDims; at++) heap[rowWord + at] = components[first + at]
      addPoint(address, rowAddress, member, 0)
      if (member === 0) checkFirstInsertion(module.HEAPU32, address, rowWord, { ...expected, count: 1 })
    }
  } finally {
    module.asm.free(rowAddress)
  }
}

function virtualAddPoint(module: HnswlibModule, address: number): AddPoint {
  const heap = module.HEAPU32
  const table = module.asm.__indirect_function_table
  const entry = heap[heap[address / 4 + WORD.vtable] / 4 + ADD_POINT_ENTRY]
  const found = entry < table.length ? table.get(entry) : undefined
  if (typeof found !== 'function' || found.length !== 4) {
    throw new EngineError(
      ENGINE,
      `entry ${entry} of the function table is not addPoint; the engine needs hnswlib-wasm 0.8.2 exactly`,
    )
  }
  return found as AddPoint
}

function checkFirstInsertion(heap: Uint32Array, address: number, rowWord: number, expected: ExpectedIndex): void {
  const level0 = readLevel0(heap, address, expected)
  for (let at = 0; at < expected.dimensions; at++) {
    if (heap[level0.firstWord + level0.vectorWord + at] !== heap[rowWord + at]) {
      throw new EngineError(
        ENGINE,
        `component ${at} of the first member was not stored; the engine needs hnswlib-wasm 0.8.2 exactly`,
      )
    }
  }
}
