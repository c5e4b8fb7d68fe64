/** Rows to test on, from a seed: the same everywhere, and small for fast-check to shrink. */
import type { Kernel } from '../../kernel/kernel.js'

/** Largest squared norm of an i16 code (DESIGN section 5). */
export const MAX_SQUARED_NORM = 5e8

export type Flavour = 'random' | 'extreme' | 'repeated' | 'zero' | 'close'
export const FLAVOURS: readonly Flavour[] = ['random', 'extreme', 'repeated', 'zero', 'close']

/** Uniform in [0, 1). Mulberry32: a 32-bit counter and a mixer. */
export function uniformFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/**
 * extreme: the whole norm on one dimension, or spread evenly, with random signs, so that distances reach 4 x 5e8.
 * repeated: copies of two rows. close: one row plus a little noise.
 */
export function i16Rows(seed: number, flavour: Flavour, count: number, codeDims: number): Int16Array[] {
  const uniform = uniformFrom(seed)
  const random = (amplitude: number): Int16Array =>
    Int16Array.from({ length: codeDims }, () => Math.round((uniform() * 2 - 1) * amplitude))
  const amplitude = Math.floor(Math.sqrt(MAX_SQUARED_NORM / Math.max(1, codeDims)))
  const sign = (): number => (uniform() < 0.5 ? -1 : 1)
  const base = random(amplitude / 2)
  const other = random(amplitude / 2)
  return Array.from({ length: count }, () => {
    if (flavour === 'random') return random(amplitude)
    if (flavour === 'zero') return new Int16Array(codeDims)
    if (flavour === 'repeated') return uniform() < 0.5 ? base : other
    if (flavour === 'close') return base.map((x) => x + Math.round(uniform() * 2 - 1))
    if (uniform() < 0.5) return Int16Array.from({ length: codeDims }, () => sign() * amplitude)
    const row = new Int16Array(codeDims)
    if (codeDims > 0) row[Math.floor(uniform() * codeDims)] = sign() * Math.floor(Math.sqrt(MAX_SQUARED_NORM))
    return row
  })
}

export function f32Rows(seed: number, flavour: Flavour, count: number, dims: number): Float32Array[] {
  const uniform = uniformFrom(seed)
  const random = (amplitude: number): Float32Array =>
    Float32Array.from({ length: dims }, () => (uniform() * 2 - 1) * amplitude)
  const base = random(1)
  const other = random(1)
  return Array.from({ length: count }, () => {
    if (flavour === 'random') return random(1)
    if (flavour === 'zero') return new Float32Array(dims)
    if (flavour === 'repeated') return uniform() < 0.5 ? base : other
    if (flavour === 'close') return base.map((x) => x + (uniform() - 0.5) * 1e-4)
    return random(10 ** (uniform() * 24 - 12))
  })
}

type Row = Int16Array | Float32Array

/** Copies rows of one length into the kernel's memory, one after the other; returns the address. */
export function place(kernel: Kernel, rows: readonly Row[]): number {
  const bytesPerRow = rows.length === 0 ? 0 : rows[0].byteLength
  const pointer = kernel.alloc(bytesPerRow * rows.length)
  placeAt(kernel, pointer, rows)
  return pointer
}

export function placeAt(kernel: Kernel, pointer: number, rows: readonly Row[]): void {
  rows.forEach((row, index) => {
    const bytes = new Uint8Array(row.buffer, row.byteOffset, row.byteLength)
    kernel.u8(pointer + index * row.byteLength, row.byteLength).set(bytes)
  })
}

/** The u32 addresses of rows that lie one after the other; returns the address of the list. */
export function placePointers(kernel: Kernel, pointers: readonly number[]): number {
  const list = kernel.alloc(pointers.length * 4)
  kernel.u32(list, pointers.length).set(pointers)
  return list
}

/** Runs with an arena of its own, given back at the end. */
export function withArena<T>(kernel: Kernel, use: () => T): T {
  const mark = kernel.mark()
  try {
    return use()
  } finally {
    kernel.release(mark)
  }
}
