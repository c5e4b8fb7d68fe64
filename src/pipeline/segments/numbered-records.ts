/**
 * Records `[u32 number][u32 length][bytes]`, unaligned: ids and field rows on their way from the stream to their nodes.
 * The number is the ordinal, and the node once that is known.
 */

/** Number and length. */
export const RECORD_HEAD_BYTES = 8

/** From this length on, the call of the engine's own copy takes less than a loop. */
const LONG_BYTES = 128

/** Copies bytes `from` up to `to`: once per vector, so that short ones take no view. */
export function copyBytes(into: Uint8Array, at: number, bytes: Uint8Array, from: number, to: number): void {
  if (to - from >= LONG_BYTES) into.set(bytes.subarray(from, to), at)
  else for (let i = from, end = at; i < to; i++) into[end++] = bytes[i]
}

/** Visits each record, with its number and the range of its bytes in `batch`. */
export function eachRecord(batch: Uint8Array, visit: (number: number, from: number, to: number) => void): void {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
  for (let at = 0; at < batch.length;) {
    const end = at + RECORD_HEAD_BYTES + view.getUint32(at + 4, true)
    visit(view.getUint32(at, true), at + RECORD_HEAD_BYTES, end)
    at = end
  }
}

/** Why `batch` is not complete records of the vectors from `first` on; undefined when it is. `what`: 'id', 'ids'. */
export function recordsProblem(
  batch: Uint8Array,
  first: number,
  what: { readonly one: string; readonly many: string },
): string | undefined {
  const view = new DataView(batch.buffer, batch.byteOffset, batch.byteLength)
  let next = first
  for (let at = 0; at < batch.byteLength;) {
    if (at + RECORD_HEAD_BYTES > batch.byteLength) return `the ${what.many} end inside a record`
    const number = view.getUint32(at, true)
    if (number !== next) return `the ${what.one} of vector ${number} where ${next} is due`
    at += RECORD_HEAD_BYTES + view.getUint32(at + 4, true)
    if (at > batch.byteLength) return `the ${what.one} of vector ${next} ends outside its batch`
    next++
  }
  return undefined
}
