/** What characters are for words. Each is looked up in the tables of Unicode once: regular expressions are slow at it. */

/** Separates words. */
export const SEPARATOR = 1
/** Belongs to the character before it. */
export const MARK = 2
/** A letter or digit of a script that separates words. */
export const LETTER = 3
/** A letter or digit of a script without spaces, or of Hangul. */
export const PAIRED = 4

const PAIRED_SCRIPTS =
  /[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{scx=Hang}\p{scx=Bopo}\p{scx=Thai}\p{scx=Laoo}\p{scx=Khmr}\p{scx=Mymr}]/u

/** By code point: its class, or 0 before it was looked up. */
const classes = new Uint8Array(0x110000)

export function characterClass(codePoint: number): number {
  return classes[codePoint] || (classes[codePoint] = lookUp(String.fromCodePoint(codePoint)))
}

function lookUp(character: string): number {
  if (/\p{M}/u.test(character)) return MARK
  if (!/[\p{L}\p{N}]/u.test(character)) return SEPARATOR
  return PAIRED_SCRIPTS.test(character) ? PAIRED : LETTER
}
