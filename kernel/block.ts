/**
 * Blocks: named words in kernel memory that a kernel function takes as one address, where it would otherwise take eight
 * numbers or more in a row. The kernel reads a block as a class of the same name (kernel/assembly); fields are aligned
 * to their size, as AssemblyScript aligns them. test/kernel/blocks.test.ts checks that both sides agree.
 */

/** u32 also holds addresses. All words are little-endian. */
export type Word = 'u32' | 'f32' | 'f64'

type Fields = Readonly<Record<string, Word>>

/** The address of a block. The name keeps a block from being passed as another one. */
export type Block<Name extends string> = number & { readonly block: Name }

export interface BlockLayout<Name extends string, F extends Fields> {
  /** The class in kernel/assembly. */
  readonly name: Name
  readonly fields: F
  readonly offsets: { readonly [Field in keyof F]: number }
  readonly bytes: number
}

/** A value for every field of a block. */
export type BlockValues<F extends Fields> = { readonly [Field in keyof F]: number }

/** The part of a Kernel that blocks need. */
interface BlockMemory {
  readonly memory: { readonly buffer: ArrayBuffer }
  alloc(bytes: number): number
}

export function blockLayout<const Name extends string, const F extends Fields>(
  name: Name,
  fields: F,
): BlockLayout<Name, F> {
  let bytes = 0
  const offsets = Object.entries(fields).map(([field, word]) => {
    const size = wordBytes(word)
    const offset = Math.ceil(bytes / size) * size
    bytes = offset + size
    return [field, offset] as const
  })
  return { name, fields, offsets: Object.fromEntries(offsets) as BlockValues<F>, bytes }
}

/** Allocates a block and writes all its fields. It lives until the caller releases its mark. */
export function placeBlock<Name extends string, F extends Fields>(
  kernel: BlockMemory,
  layout: BlockLayout<Name, F>,
  values: BlockValues<F>,
): Block<Name> {
  const at = kernel.alloc(layout.bytes) as Block<Name>
  setBlock(kernel, at, layout, values)
  return at
}

/** Writes some fields of a block. */
export function setBlock<Name extends string, F extends Fields>(
  kernel: BlockMemory,
  at: Block<Name>,
  { fields, offsets, bytes }: BlockLayout<Name, F>,
  values: Partial<BlockValues<F>>,
): void {
  const view = new DataView(kernel.memory.buffer, at, bytes)
  for (const field in values) {
    const value = values[field]
    if (value === undefined) continue
    const offset = offsets[field]
    if (fields[field] === 'u32') view.setUint32(offset, value, true)
    else if (fields[field] === 'f32') view.setFloat32(offset, value, true)
    else view.setFloat64(offset, value, true)
  }
}

function wordBytes(word: Word): number {
  return word === 'f64' ? 8 : 4
}
