import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { PageTable, pageShape } from '../../src/search/core/page-table.js'
import type { RowSource } from '../../src/rows/row-source.js'

/** Rows in which every byte is the low byte of the row's number. */
function numbered(count: number, strideBytes: number): RowSource & { readonly reads: [number, number][] } {
  const reads: [number, number][] = []
  return {
    count,
    strideBytes,
    reads,
    read(first, rows, into) {
      reads.push([first, rows])
      for (let row = 0; row < rows; row++) into.subarray(row * strideBytes, (row + 1) * strideBytes).fill(first + row)
    },
  }
}

function pagesOf(kernel: Kernel, table: PageTable, count: number): Uint32Array {
  return kernel.u32(table.pagesAt, count)
}

describe('pageShape', () => {
  it.each([
    // count, stride, cache → rows per page, pages, slots
    [1000, 256, 256_000, 16, 63, 63],
    [1000, 256, 255_999, 16, 63, 62],
    [1000, 6144, 100_000, 1, 1000, 16],
    [10, 262_144, 1_000_000, 1, 10, 3],
  ])('of %d rows of %d bytes in %d bytes', (count, strideBytes, cacheBytes, rows, pageCount, slots) => {
    const shape = pageShape({ count, strideBytes }, cacheBytes)
    expect({ rows: 2 ** shape.shift, pageCount: shape.pageCount, slots: shape.slots }).toEqual({
      rows,
      pageCount,
      slots,
    })
    expect(shape.slots * shape.pageBytes).toBeLessThan(cacheBytes + shape.pageBytes)
  })
})

describe('PageTable', () => {
  it('with room for all rows keeps them contiguous, and is complete when all are loaded', () => {
    const kernel = Kernel.create()
    const source = numbered(1000, 256)
    const table = new PageTable(kernel, source, 256_000)
    for (let page = 62; page > 0; page--) table.load(page)
    expect(table.complete).toBe(false)
    table.load(0)
    expect(table.complete).toBe(true)
    for (const row of [0, 1, 127, 128, 999])
      expect(kernel.u8(table.base + row * 256, 256)).toEqual(new Uint8Array(256).fill(row))
  })

  it('aligns its pages to pages of the system', () => {
    const kernel = Kernel.create()
    kernel.alloc(1)
    expect(new PageTable(kernel, numbered(1000, 256), 256_000).base % 4096).toBe(0)
  })

  it('reads only the existing rows of the last page', () => {
    const source = numbered(1000, 256)
    new PageTable(Kernel.create(), source, 256_000).load(62)
    expect(source.reads).toEqual([[992, 8]])
  })

  it('holds the right rows in any order of loads and evictions', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(62), fc.boolean()), { maxLength: 300 }), (uses) => {
        const kernel = Kernel.create()
        const table = new PageTable(kernel, numbered(1000, 256), 5 * 4096)
        for (const [page, again] of uses) {
          if (pagesOf(kernel, table, 63)[page] === 0) table.load(page)
          else if (again) kernel.u8(table.usedAt, 63)[page] = 1
          const pages = pagesOf(kernel, table, 63)
          const here = Array.from(pages.entries()).filter(([, address]) => address !== 0)
          expect(here.length).toBeLessThanOrEqual(5)
          expect(new Set(here.map(([, address]) => address)).size).toBe(here.length)
          for (const [each, address] of here) expect(kernel.u8(address, 1)[0]).toBe((each * 16) % 256)
        }
      }),
      { numRuns: 50 },
    )
  })

  it('evicts a page that was not used since the hand last passed', () => {
    const kernel = Kernel.create()
    const table = new PageTable(kernel, numbered(1000, 256), 4 * 4096)
    for (const page of [0, 1, 2, 3, 4]) table.load(page)
    // The hand has made a full turn: 1, 2 and 3 are no longer marked. 2 is used again.
    kernel.u8(table.usedAt, 63)[2] = 1
    for (const page of [5, 6]) table.load(page)
    const pages = pagesOf(kernel, table, 63)
    expect([0, 1, 2, 3, 4, 5, 6].filter((page) => pages[page] !== 0)).toEqual([2, 4, 5, 6])
  })

  it('holds nothing of a page that cannot be read, and can load it later', () => {
    const kernel = Kernel.create()
    let broken = true
    const source = numbered(1000, 256)
    const table = new PageTable(
      kernel,
      {
        ...source,
        read(...args) {
          if (broken) throw new Error('no')
          source.read(...args)
        },
      },
      4 * 4096,
    )
    expect(() => table.load(9)).toThrow('no')
    expect(pagesOf(kernel, table, 63)[9]).toBe(0)
    broken = false
    table.load(9)
    expect(kernel.u8(pagesOf(kernel, table, 63)[9], 1)[0]).toBe(144)
  })
})
