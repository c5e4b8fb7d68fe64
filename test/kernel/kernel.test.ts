import { afterEach, describe, expect, it, vi } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { panelRows } from '../../kernel/panel-rows.js'
import { InsufficientMemoryError, ShardloomError } from '../../src/errors.js'
import { i16Rows, place, placeAt, placePointers } from '../fixtures/samples.js'
import { l2IntegerTwin } from './twins.js'

const MIB = 2 ** 20
const GIB = 2 ** 30
const FOUR_GIB = 4 * GIB

/** Distances and a gather over rows in fresh allocations; checks every value. */
function checkDistances(kernel: Kernel, rowsAt: number, rows: Int16Array[], gridDims: number, above: number): void {
  const count = rows.length
  placeAt(kernel, rowsAt, rows)
  const norms = kernel.alloc(count * 4)
  const panels = kernel.alloc(Math.ceil(count / 4) * 4 * gridDims * 2)
  const out = kernel.alloc(count * count * 4)
  for (const pointer of [rowsAt, norms, panels, out]) expect(pointer).toBeGreaterThan(above)
  kernel.fn.normsI16(rowsAt, count, gridDims, norms)
  kernel.fn.packI16(rowsAt, count, gridDims, panels)
  kernel.fn.distancesI16(rowsAt, norms, count, panels, norms, count, gridDims, out, count)
  expect(Array.from(kernel.i32(out, count * count))).toEqual(
    rows.flatMap((query) => rows.map((target) => l2IntegerTwin(query, target))),
  )
  const list = placePointers(
    kernel,
    rows.map((_, i) => rowsAt + i * gridDims * 2),
  )
  kernel.fn.gatherL2I16(rowsAt, list, count, gridDims, out)
  expect(Array.from(kernel.i32(out, count))).toEqual(rows.map((row) => l2IntegerTwin(rows[0], row)))
}

describe('the arena', () => {
  it('hands out aligned, disjoint pieces above the static data', () => {
    const kernel = Kernel.create()
    const a = kernel.alloc(3)
    const b = kernel.alloc(5)
    const c = kernel.alloc(1, 4096)
    expect(a).toBeGreaterThanOrEqual(kernel.fn.heapBase())
    expect(a % 16).toBe(0)
    expect(b).toBe(a + 16)
    expect(c % 4096).toBe(0)
    expect(c).toBeGreaterThanOrEqual(b + 5)
  })

  it('gives the same address again after release, and refuses values that are not marks', () => {
    const kernel = Kernel.create()
    const mark = kernel.mark()
    const a = kernel.alloc(1000)
    kernel.release(mark)
    expect(kernel.usedBytes).toBe(0)
    expect(kernel.alloc(10)).toBe(a)
    expect(() => kernel.release(a + 1000)).toThrow(RangeError)
    expect(() => kernel.release(0)).toThrow(RangeError)
    expect(() => kernel.release(NaN)).toThrow(RangeError)
  })

  it('does not grow again for what was reserved', () => {
    const kernel = Kernel.create()
    kernel.reserve(40 * MIB)
    const view = kernel.u8(kernel.alloc(1), 1)
    kernel.alloc(39 * MIB)
    expect(view.length).toBe(1)
  })

  it('refuses sizes that are not whole numbers of bytes', () => {
    const kernel = Kernel.create()
    for (const bytes of [-1, 1.5, NaN, Infinity]) expect(() => kernel.alloc(bytes)).toThrow(RangeError)
  })

  it('keeps the bytes and the old addresses when it grows, in steps of at least 4 MiB', () => {
    const kernel = Kernel.create()
    const at = kernel.alloc(64)
    kernel.u8(at, 64).fill(7)
    const before = kernel.heldBytes
    kernel.alloc(before)
    expect(kernel.heldBytes).toBe(before + 4 * MIB)
    expect(Array.from(kernel.u8(at, 64))).toEqual(Array(64).fill(7))
  })

  it('grows by an eighth once that is more', () => {
    const kernel = Kernel.create()
    kernel.alloc(256 * MIB)
    const before = kernel.heldBytes
    kernel.alloc(MIB)
    expect(kernel.heldBytes - before).toBeGreaterThanOrEqual(before / 8)
    expect(kernel.heldBytes - before).toBeLessThan(before / 8 + 65_536)
  })

  it('fails beyond 4 GiB with numbers, and stays usable', () => {
    const kernel = Kernel.create()
    const top = kernel.mark()
    const attempt = (): number => kernel.alloc(5 * GIB)
    expect(attempt).toThrow(InsufficientMemoryError)
    expect(attempt).toThrow(`(${top + 5 * GIB} bytes) and 4295 MB (${FOUR_GIB} bytes) are available`)
    expect(kernel.mark()).toBe(top)
    expect(kernel.alloc(16)).toBeGreaterThanOrEqual(top)
  })

  it('belongs to one kernel: two kernels share only code', () => {
    const [one, two] = [Kernel.create(), Kernel.create()]
    const [a, b] = [one.alloc(16), two.alloc(16)]
    one.u8(a, 16).fill(1)
    expect(Array.from(two.u8(b, 16))).toEqual(Array(16).fill(0))
  })
})

describe('a system without room', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('that refuses a large step still gives the small one', () => {
    const kernel = Kernel.create()
    const { memory } = kernel
    const grow = memory.grow.bind(memory)
    vi.spyOn(memory, 'grow').mockImplementation((pages) => {
      if (pages > 2) throw new RangeError('refused')
      return grow(pages)
    })
    const before = kernel.heldBytes
    kernel.alloc(before)
    expect(kernel.heldBytes).toBe(before * 2)
  })

  it('that refuses to grow gives an error with numbers, and the arena is unchanged', () => {
    const kernel = Kernel.create()
    vi.spyOn(kernel.memory, 'grow').mockImplementation(() => {
      throw new RangeError('refused')
    })
    const mark = kernel.mark()
    const attempt = (): number => kernel.alloc(10 * MIB)
    expect(attempt).toThrow(InsufficientMemoryError)
    expect(attempt).toThrow(`(${mark + 10 * MIB} bytes) and 0 MB (${kernel.heldBytes} bytes) are available`)
    expect(kernel.mark()).toBe(mark)
  })

  it('that has no addresses left gives an error with a fix', () => {
    vi.spyOn(WebAssembly, 'Memory').mockImplementation(function () {
      throw new RangeError('could not allocate memory')
    })
    const attempt = (): Kernel => Kernel.create()
    expect(attempt).toThrow(ShardloomError)
    expect(attempt).toThrow('ulimit -v')
  })
})

describe('far addresses', () => {
  const gridDims = 24
  const rows = i16Rows(11, 'random', 13, gridDims)

  it('work above 2 GiB', () => {
    const kernel = Kernel.create()
    kernel.alloc(Math.floor(2.2 * GIB)) // reserved, never touched
    checkDistances(kernel, kernel.alloc(rows.length * gridDims * 2), rows, gridDims, 2 * GIB)
  })

  it('work on rows that end at the last byte of 4 GiB', () => {
    const kernel = Kernel.create()
    const room = 64 * 1024
    const rowBytes = rows.length * gridDims * 2
    kernel.alloc(FOUR_GIB - kernel.mark() - room)
    const rowsAt = FOUR_GIB - rowBytes
    const mark = kernel.mark()
    kernel.alloc(rowsAt - mark)
    kernel.alloc(rowBytes, 1)
    expect(kernel.heldBytes).toBe(FOUR_GIB)
    expect(() => kernel.alloc(1)).toThrow(InsufficientMemoryError)
    kernel.release(mark)
    checkDistances(kernel, rowsAt, rows, gridDims, 2 * GIB)
  })

  it.each(['distancesI16', 'distancesWideI16'] as const)(
    '%s works on panels that end at the last byte of 4 GiB',
    (tile) => {
      const kernel = Kernel.create()
      const [query, ...targets] = rows // 12 targets: both halves of one panel
      kernel.alloc(FOUR_GIB - kernel.mark() - 64 * 1024)
      const at = place(kernel, targets)
      const queryAt = place(kernel, [query])
      const norms = kernel.alloc(targets.length * 4)
      const queryNorm = kernel.alloc(4)
      const out = kernel.alloc(targets.length * 4)
      const panels = FOUR_GIB - panelRows(targets.length) * gridDims * 2
      kernel.fn.normsI16(at, targets.length, gridDims, norms)
      kernel.fn.normsI16(queryAt, 1, gridDims, queryNorm)
      kernel.fn.packI16(at, targets.length, gridDims, panels)
      kernel.fn[tile](queryAt, queryNorm, 1, panels, norms, targets.length, gridDims, out, targets.length)
      expect(Array.from(kernel.i32(out, targets.length))).toEqual(targets.map((row) => l2IntegerTwin(query, row)))
    },
  )
})
