import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Kernel } from '../../kernel/kernel.js'
import { panelRows } from '../../kernel/panel-rows.js'
import type { GridKind } from '../../kernel/tile-rows.js'
import type * as Ops from '../../kernel/typed-ops.js'
import type { TypedOps } from '../../kernel/typed-ops.js'
import { f32Rows, i16Rows, place, withArena } from '../fixtures/samples.js'

const KINDS = ['i16', 'f32'] as const
const SUFFIX = { i16: 'I16', f32: 'F32' } as const
const DIMS = 24
const QUERIES = 5
const TARGETS = 37

let kernel: Kernel
let typedOps: typeof Ops.typedOps

// The first call of a thread is always checked, and here each test is one.
beforeEach(async () => {
  vi.resetModules()
  kernel = (await import('../../kernel/kernel.js')).Kernel.create()
  ;({ typedOps } = await import('../../kernel/typed-ops.js'))
})

type Patched = `${'pack' | 'distances' | 'distancesWide'}${'I16' | 'F32'}`

/** Does something more after each call of one of the kernel's functions. */
function patch(name: Patched, after: (...args: number[]) => void): void {
  const real: (...args: never) => void = kernel.fn[name]
  const patched = (...args: number[]): void => {
    Reflect.apply(real, undefined, args)
    after(...args)
  }
  Object.defineProperty(kernel, 'fn', { value: { ...kernel.fn, [name]: patched } })
}

function compare(ops: TypedOps, kind: GridKind): void {
  withArena(kernel, () => {
    const rowsOf = (seed: number, count: number) =>
      kind === 'i16' ? i16Rows(seed, 'random', count, DIMS) : f32Rows(seed, 'random', count, DIMS)
    const [q, t] = [place(kernel, rowsOf(1, QUERIES)), place(kernel, rowsOf(2, TARGETS))]
    const [queryNorms, targetNorms] = [kernel.alloc(4 * QUERIES), kernel.alloc(4 * TARGETS)]
    const panels = kernel.alloc(panelRows(TARGETS) * ops.rowBytes)
    const out = kernel.alloc(4 * QUERIES * TARGETS)
    ops.norms(q, QUERIES, queryNorms)
    ops.norms(t, TARGETS, targetNorms)
    ops.pack(t, TARGETS, panels)
    const targets = { panels, norms: targetNorms, count: TARGETS }
    ops.distances({ rows: q, norms: queryNorms, count: QUERIES }, targets, out, TARGETS)
  })
}

describe.each(KINDS)('the wide tile in %s', (kind) => {
  it('passes when every pair is checked', async () => {
    const { tileCheck } = await import('../../kernel/check-tile.js')
    const check = tileCheck(kernel, kind, DIMS)
    const ops = typedOps(kernel, kind, DIMS, '4x16')
    const checked = { ...ops, distances: vi.fn<TypedOps['distances']>() }
    checked.distances.mockImplementation((q, t, out, stride) => {
      ops.distances(q, t, out, stride)
      // Whole calls as many times as samples need to fall on all 185 pairs.
      for (let i = 0; i < 20_000; i++) check.distances(q, { ...t, count: 1 + (i % TARGETS) }, out, stride)
    })
    expect(() => compare(checked, kind)).not.toThrow()
  })

  it('fails with a typed error when a distance is wrong by one bit', () => {
    patch(`distancesWide${SUFFIX[kind]}`, (...args) => {
      const words = kernel.u32(args[7], QUERIES * TARGETS)
      for (let i = 0; i < words.length; i++) words[i] ^= 1
    })
    expect(() => compare(typedOps(kernel, kind, DIMS, '4x16'), kind)).toThrow(
      expect.objectContaining({
        code: 'SHARDLOOM_MISCOMPILED',
        message: expect.stringMatching(/^the distance of pair .* instead of .*SHARDLOOM_WIDE=0/) as string,
        details: expect.objectContaining({ kind, gridDims: DIMS, v8: process.versions.v8 }) as object,
      }),
    )
  })

  it('fails when packed rows are wrong', () => {
    patch(`pack${SUFFIX[kind]}`, (_, count, gridDims, out) => {
      const words = kernel.u32(out, (panelRows(count) * gridDims) / (kind === 'i16' ? 2 : 1))
      for (let i = 0; i < words.length; i++) words[i] ^= 1
    })
    expect(() => compare(typedOps(kernel, kind, DIMS, '4x16'), kind)).toThrow(/^word \d+ of packed row \d+ of 37/)
  })

  it('finds that half of its lanes are wrong within a build of a few thousand calls', () => {
    const ops = typedOps(kernel, kind, DIMS, '4x16')
    compare(ops, kind)
    patch(`distancesWide${SUFFIX[kind]}`, (...args) => {
      const words = kernel.u32(args[7], QUERIES * TARGETS)
      for (let i = 0; i < words.length; i++) if ((i % TARGETS) % 8 >= 4) words[i] ^= 1
    })
    const broken = typedOps(kernel, kind, DIMS, '4x16')
    const build = (): void => {
      for (let call = 0; call < 30_000; call++) compare(broken, kind)
    }
    expect(build).toThrow(/SHARDLOOM_WIDE=0/)
  })
})

it.each(KINDS)('nothing is checked in the tile of 4 x 8, %s', (kind) => {
  patch(`distances${SUFFIX[kind]}`, (...args) => kernel.u32(args[7], QUERIES * TARGETS).fill(1))
  expect(() => compare(typedOps(kernel, kind, DIMS, '4x8'), kind)).not.toThrow()
})
