import { describe, expect, test } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { heapBytes } from '../../src/engines/hnswlib-wasm/worker-bytes.js'
import { hnswlibWasmEngine } from '../../src/engines/hnswlib-wasm/hnswlib-wasm-engine.js'
import { WORD, indexAddress, readLevel0, recordBytes } from '../../src/engines/hnswlib-wasm/index-layout.js'
import { dropHnswlib, loadHnswlib } from '../../src/engines/hnswlib-wasm/load-hnswlib.js'
import { EngineError } from '../../src/errors.js'
import { PARAMS, putShard, randomRows } from '../fixtures/shards.js'
import { some, WHOLE } from '../whole.js'

async function heapByteLength(): Promise<number> {
  return (await loadHnswlib()).module.HEAPU32.byteLength
}

async function buildRandom(count: number, gridDims: number, seed = 1): Promise<void> {
  const kernel = Kernel.create()
  await hnswlibWasmEngine.build(kernel, putShard(kernel, randomRows(count, gridDims, seed), gridDims, 'i16'), PARAMS)
}

describe('the words of the index object', () => {
  const expected = { members: 5, count: 5, dimensions: 8, m: 4, efConstruction: 100 }
  const ADDRESS = 40
  const LEVEL0 = 400

  function indexWords(): Uint32Array {
    const heap = new Uint32Array(LEVEL0 / 4 + (5 * recordBytes(8, 4)) / 4)
    const linkBytes = 4 + 4 * 8
    const words: Record<keyof typeof WORD, number> = {
      vtable: 8,
      maxElements: 5,
      count: 5,
      recordBytes: linkBytes + 4 * 8 + 4,
      upperLinkBytes: 4 + 4 * 4,
      deletedCount: 0,
      m: 4,
      maxM: 4,
      maxM0: 8,
      efConstruction: 100,
      level0LinkBytes: linkBytes,
      dataOffset: linkBytes,
      level0Offset: 0,
      labelOffset: linkBytes + 4 * 8,
      level0Address: LEVEL0,
      dataBytes: 4 * 8,
    }
    for (const [field, value] of Object.entries(words)) heap[ADDRESS / 4 + WORD[field as keyof typeof WORD]] = value
    return heap
  }

  test('are accepted when every known one matches', () => {
    expect(readLevel0(indexWords(), ADDRESS, expected)).toEqual({
      firstWord: LEVEL0 / 4,
      recordWords: 18,
      vectorWord: 9,
      labelWord: 17,
      maxLinks: 8,
    })
  })

  const known = (Object.keys(WORD) as (keyof typeof WORD)[]).filter(
    (field) => field !== 'vtable' && field !== 'level0Address',
  )
  test.each(known)('are refused by name when %s differs', (field) => {
    const heap = indexWords()
    heap[ADDRESS / 4 + WORD[field]] += 1
    const read = (): unknown => readLevel0(heap, ADDRESS, expected)
    expect(read).toThrow(EngineError)
    expect(read).toThrow(
      new RegExp(`word ${WORD[field]} of the index \\(${field}\\) is \\d+, expected \\d+; .*0\\.8\\.2`),
    )
  })

  test.each([0, LEVEL0 + 4, LEVEL0 + 1, 0xfffffff0])('are refused when level 0 at %i is not in the heap', (address) => {
    const heap = indexWords()
    heap[ADDRESS / 4 + WORD.level0Address] = address
    expect(() => readLevel0(heap, ADDRESS, expected)).toThrow(/level 0 of the index is at \d+, outside the heap/)
  })

  test.each([0, 41, 0xffffff00])('are not looked for at a pointer of %i', (pointer) => {
    const heap = indexWords()
    heap[1] = pointer
    expect(() => indexAddress(heap, 0)).toThrow(/index pointer is \d+, outside the heap/)
  })
})

test('a shard beyond the 2 GiB heap is refused with its numbers before anything is allocated', async () => {
  const before = await heapByteLength()
  // 1.1 million records of 5.2 KB: hnswlib's 32-bit product wraps, and hnswlib would not notice.
  const shard = { count: 1_100_000, gridDims: 1280, kind: 'i16', grid: 0 } as const
  const build = hnswlibWasmEngine.build(Kernel.create(), shard, PARAMS)
  await expect(build).rejects.toThrow(EngineError)
  await expect(build).rejects.toThrow(/1100000 members x 1280 components needs \d+ bytes.*2147483648.*smaller shards/)
  expect(await heapByteLength()).toBe(before)
})

test('a failed build is an EngineError with its cause, and the next build is right, on a fresh instance', async () => {
  const before = await loadHnswlib()
  const kernel = Kernel.create()
  const beyond = { count: 100, gridDims: 8, kind: 'i16', grid: 2 ** 31 } as const
  const failed = hnswlibWasmEngine.build(kernel, beyond, PARAMS)
  await expect(failed).rejects.toThrow(EngineError)
  await expect(failed).rejects.toHaveProperty('cause', expect.any(RangeError))
  expect(await loadHnswlib()).not.toBe(before)
  await expect(buildRandom(100, 8)).resolves.toBeUndefined()
})

test.runIf(WHOLE)('thirty shards in a row reuse the heap', async () => {
  const biggest = async (): Promise<void> => {
    await buildRandom(160, 32_768)
  }
  await biggest()
  await biggest()
  const settled = await heapByteLength()
  expect(settled).toBeGreaterThan(16 * 2 ** 20)
  for (let shard = 0; shard < 28; shard++) await buildRandom(100 + 17 * shard, 64 + 32 * (shard % 5), shard)
  await biggest()
  expect(await heapByteLength()).toBe(settled)
})

test.each(
  some(
    [
      [2000, 8, 64],
      [50_000, 8, 4],
      [200, 32_768, 16],
    ],
    3,
  ),
)('the heap of a build of %i x %i, m = %i, is within the estimate', async (count, gridDims, m) => {
  dropHnswlib()
  const kernel = Kernel.create()
  const shard = putShard(kernel, randomRows(count, gridDims, 1), gridDims, 'i16')
  await hnswlibWasmEngine.build(kernel, shard, { ...PARAMS, m, maxDegree: 2 * m })
  // The module starts with 16 MiB and grows to a fifth more than it needs.
  const estimate = Math.max(16 * 2 ** 20, 1.2 * heapBytes(count, gridDims, m))
  expect(await heapByteLength()).toBeLessThanOrEqual(estimate)
})
