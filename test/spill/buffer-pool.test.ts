import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BufferPool } from '../../spill/index.js'

describe('BufferPool', () => {
  it('lends shared, 8-byte aligned memory of exactly the length, at most an eighth larger underneath', () => {
    const pool = new BufferPool(0)
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 3e6 }), (byteLength) => {
        const { buffer, byteOffset, byteLength: got } = pool.acquire(byteLength)
        expect(buffer).toBeInstanceOf(SharedArrayBuffer)
        expect([byteOffset, got]).toEqual([0, byteLength])
        expect(buffer.byteLength % 8).toBe(0)
        expect(buffer.byteLength).toBeLessThanOrEqual(Math.max(4096, byteLength * 1.125))
      }),
    )
  })

  it('lends a released buffer again, also when a part of it is given back', () => {
    const pool = new BufferPool(1e6)
    const first = pool.acquire(100_000)
    pool.release(first.subarray(0, 10))
    expect(pool.freeBytes).toBe(first.buffer.byteLength)
    expect(pool.acquire(99_990).buffer).toBe(first.buffer)
    expect(pool.freeBytes).toBe(0)
  })

  it('never lends one buffer twice, even when it is released twice', () => {
    const pool = new BufferPool(1e6)
    const bytes = pool.acquire(5000)
    pool.release(bytes)
    pool.release(bytes)
    expect(pool.acquire(5000).buffer).not.toBe(pool.acquire(5000).buffer)
  })

  it('leaves memory alone that is not its own', () => {
    const pool = new BufferPool(1e6)
    pool.release(new Uint8Array(4096))
    pool.release(new Uint8Array(new SharedArrayBuffer(4096)))
    pool.release(new BufferPool(1e6).acquire(4096))
    expect(pool.freeBytes).toBe(0)
  })

  it('keeps no more than its limit, and the sizes that were used last', () => {
    const pool = new BufferPool(10 * 4096)
    const small = Array.from({ length: 20 }, () => pool.acquire(4096))
    for (const bytes of small) pool.release(bytes)
    expect(pool.freeBytes).toBe(10 * 4096)
    const large = pool.acquire(8 * 4096)
    pool.release(large)
    expect(pool.freeBytes).toBe(10 * 4096)
    expect(pool.acquire(8 * 4096).buffer).toBe(large.buffer)
    pool.clear()
    expect(pool.freeBytes).toBe(0)
  })

  it('counts its free bytes exactly over any use', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -8, max: 40_000 }), { maxLength: 60 }), (steps) => {
        const pool = new BufferPool(100_000)
        const lent: Uint8Array[] = []
        for (const step of steps) {
          if (step >= 0) lent.push(pool.acquire(step))
          else for (const bytes of lent.splice(0, -step)) pool.release(bytes)
          expect(pool.freeBytes).toBeGreaterThanOrEqual(0)
          expect(pool.freeBytes).toBeLessThanOrEqual(100_000)
          expect(new Set(lent.map(({ buffer }) => buffer)).size).toBe(lent.length)
        }
      }),
    )
  })
})
