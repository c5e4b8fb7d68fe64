import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BufferPool } from '../../spill/buffer-pool.js'

/** Identifies the buffer of a view by its slab and offset. */
function placeOf(slabs: SharedArrayBuffer[], { buffer, byteOffset }: Uint8Array): string {
  if (!(buffer instanceof SharedArrayBuffer)) throw new Error('not shared')
  if (!slabs.includes(buffer)) slabs.push(buffer)
  return `${slabs.indexOf(buffer)}:${byteOffset}`
}

describe('BufferPool', () => {
  it('lends shared, aligned memory of exactly the length', () => {
    const pool = new BufferPool()
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3e6 }), (byteLength) => {
        const bytes = pool.acquire(byteLength)
        expect(bytes.buffer).toBeInstanceOf(SharedArrayBuffer)
        expect(bytes.byteOffset % 64).toBe(0)
        expect(bytes.byteLength).toBe(byteLength)
        pool.release(bytes)
      }),
    )
  })

  it('holds at most an eighth more than it lends', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4096, max: 100e6 }), (byteLength) => {
        const pool = new BufferPool()
        pool.acquire(byteLength)
        expect(pool.heldBytes).toBeLessThanOrEqual(byteLength * 1.125)
      }),
      { numRuns: 30 },
    )
  })

  it('lends a released buffer again, also when a shorter view released it', () => {
    const pool = new BufferPool()
    const first = pool.acquire(100_000)
    pool.release(first.subarray(0, 10))
    expect(pool.freeBytes).toBe(pool.heldBytes)
    const again = pool.acquire(99_990)
    expect([again.buffer, again.byteOffset]).toEqual([first.buffer, first.byteOffset])
    expect(pool.freeBytes).toBe(0)
  })

  it('never lends one buffer twice, even when it is released twice', () => {
    const pool = new BufferPool()
    const bytes = pool.acquire(5000)
    pool.release(bytes)
    pool.release(bytes)
    expect(pool.acquire(5000).byteOffset).not.toBe(pool.acquire(5000).byteOffset)
  })

  it('ignores memory that is not from the pool', () => {
    const pool = new BufferPool()
    pool.release(new Uint8Array(4096))
    pool.release(new Uint8Array(new SharedArrayBuffer(4096)))
    pool.release(new BufferPool().acquire(4096))
    expect(pool.freeBytes).toBe(0)
  })

  it('lends buffers that do not overlap, and counts them exactly, in any use', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -8, max: 40_000 }), { maxLength: 60 }), (steps) => {
        const pool = new BufferPool()
        const slabs: SharedArrayBuffer[] = []
        const lent: Uint8Array[] = []
        for (const step of steps) {
          if (step >= 0) lent.push(pool.acquire(step))
          else for (const bytes of lent.splice(0, -step)) pool.release(bytes)
          expect(new Set(lent.map((bytes) => placeOf(slabs, bytes))).size).toBe(lent.length)
          const ranges = lent.map((bytes) => [bytes.byteOffset, bytes.byteOffset + bytes.byteLength])
          ranges.sort((a, b) => a[0] - b[0])
          ranges.slice(1).forEach(([start], i) => expect(start).toBeGreaterThanOrEqual(ranges[i][1]))
          const lentBytes = lent.reduce((sum, { byteLength }) => sum + byteLength, 0)
          expect(pool.heldBytes - pool.freeBytes).toBeGreaterThanOrEqual(lentBytes)
        }
        for (const bytes of lent) pool.release(bytes)
        expect(pool.freeBytes).toBe(pool.heldBytes)
      }),
    )
  })
})
