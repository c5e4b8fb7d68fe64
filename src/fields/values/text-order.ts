/** Text that can be stored as UTF-8, and its order there. */

interface Checkable {
  isWellFormed(): boolean
}

/** Whether it has no half of a surrogate pair, which UTF-8 cannot express. */
export function isWellFormed(text: string): boolean {
  return (text as unknown as Checkable).isWellFormed()
}

/** Compares by UTF-8 bytes, which is by code points; `<` compares UTF-16, where U+10000 comes before U+E000. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const ofA = a.charCodeAt(i)
    const ofB = b.charCodeAt(i)
    if (ofA !== ofB) return moved(ofA) - moved(ofB)
  }
  return a.length - b.length
}

/** Surrogates go behind the other units, which code points beyond U+FFFF do. */
function moved(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

/** Compares the bytes `from` to `to` of `bytes` with `other`. */
export function compareBytes(bytes: Uint8Array, from: number, to: number, other: Uint8Array): number {
  const length = Math.min(to - from, other.length)
  for (let i = 0; i < length; i++) {
    const difference = bytes[from + i] - other[i]
    if (difference !== 0) return difference
  }
  return to - from - other.length
}
