import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { placeBlock, setBlock } from '../../kernel/block.js'
import * as blocks from '../../kernel/blocks.js'
import { Kernel } from '../../kernel/kernel.js'
import { CONTEXT_FIELDS } from '../../src/search/core/search-context.js'

const ASSEMBLY = path.resolve(import.meta.dirname, '../../kernel/assembly')

/** The fields of every `@unmanaged` class in kernel/assembly, in order. An address is a u32. */
const CLASSES = new Map(
  readdirSync(ASSEMBLY, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(path.join(ASSEMBLY, name), 'utf8'))
    .flatMap((text) => [...text.matchAll(/@unmanaged\nexport class (\w+) \{\n([^}]*)\}/g)])
    .map(([, name, body]) => [
      name,
      [...body.matchAll(/^ {2}(\w+)!: (\w+)/gm)].map(([, field, type]) => [field, type === 'usize' ? 'u32' : type]),
    ]),
)

describe('blocks', () => {
  it.each(Object.values(blocks))('$name has the fields of its class in the kernel', ({ name, fields }) => {
    expect(CLASSES.get(name)).toEqual(Object.entries(fields))
  })

  it('the context of a search has the fields of its class in the kernel', () => {
    expect(CLASSES.get('SearchContext')?.map(([field]) => field)).toEqual(CONTEXT_FIELDS)
  })

  it('align fields to their size, as AssemblyScript does', () => {
    for (const { fields, offsets, bytes } of Object.values(blocks)) {
      const words: Readonly<Record<string, string>> = fields
      let end = 0
      for (const [field, offset] of Object.entries<number>(offsets)) {
        const size = words[field] === 'f64' ? 8 : 4
        expect(offset % size).toBe(0)
        expect(offset - end).toBeGreaterThanOrEqual(0)
        expect(offset - end).toBeLessThan(size)
        end = offset + size
      }
      expect(bytes).toBe(end)
    }
  })

  it('hold what was written, and change only the fields that are set', () => {
    const kernel = Kernel.create()
    const values = {
      scale: 1 / 3,
      maxSquaredNorm: 5e8,
      radiusSquared: -1,
      mean: 2 ** 32 - 1,
      dimensions: 3,
      gridDims: 8,
    }
    const at = placeBlock(kernel, blocks.GRID_ENCODER, values)
    setBlock(kernel, at, blocks.GRID_ENCODER, { radiusSquared: 2, gridDims: 16 })
    expect(at % 8).toBe(0)
    expect([...kernel.f64(at, 3)]).toEqual([1 / 3, 5e8, 2])
    expect([...kernel.u32(at + 24, 3)]).toEqual([2 ** 32 - 1, 3, 16])
  })
})
