/**
 * Columns of string_view: 16 bytes a row, which hold a text of up to 12 bytes, or the first 4 bytes of a longer one and
 * its place in one of the column's data buffers.
 */
import type { ArrowBuffers } from './arrow-buffers.js'
import type { ArrowPlace } from './arrow-columns.js'

const VIEW_BYTES = 16
const INLINE_BYTES = 12
const MAX_TEXT_BYTES = 64 * 1024 * 1024
/** Texts nearer to each other than this are read at once. */
const GAP_BYTES = 4096
const READ_BYTES = 1 << 20

interface Place {
  readonly row: number
  readonly buffer: number
  readonly from: number
  readonly to: number
}

/** The bytes of each row's text. @throws InvalidFileError when a view leads outside of its buffers */
export async function viewTexts(
  batch: ArrowBuffers,
  column: ArrowPlace,
  { row, count }: { readonly row: number; readonly count: number },
): Promise<Uint8Array[]> {
  const bytes = await batch.read(column, 1, row * VIEW_BYTES, count * VIEW_BYTES)
  const view = new DataView(bytes.buffer)
  const texts: Uint8Array[] = []
  const places: Place[] = []
  let sum = 0
  for (let i = 0; i < count; i++) {
    const at = i * VIEW_BYTES
    const length = view.getInt32(at, true)
    if (length < 0) throw batch.damaged(`a text of ${length} bytes`)
    texts.push(bytes.subarray(at + 4, at + 4 + Math.min(length, INLINE_BYTES)))
    if (length <= INLINE_BYTES) continue
    sum += length
    if (sum > MAX_TEXT_BYTES) throw batch.damaged(`more than ${MAX_TEXT_BYTES} bytes of text in ${count} rows`)
    const [buffer, from] = [view.getInt32(at + 8, true), view.getInt32(at + 12, true)]
    if (!(buffer >= 0 && buffer < batch.viewBuffers(column) && from >= 0)) {
      throw batch.damaged(`a text at byte ${from} of buffer ${buffer} of ${batch.viewBuffers(column)}`)
    }
    places.push({ row: i, buffer, from, to: from + length })
  }
  // In the order of the data: buffers may be compressed.
  places.sort((a, b) => a.buffer - b.buffer || a.from - b.from)
  for (let i = 0; i < places.length;) i = await readRun(batch, column, { places, from: i, texts })
  return texts
}

/** Reads the texts from one place on that lie close together; returns the number of the next place. */
async function readRun(
  batch: ArrowBuffers,
  column: ArrowPlace,
  { places, from, texts }: { readonly places: readonly Place[]; readonly from: number; readonly texts: Uint8Array[] },
): Promise<number> {
  const first = places[from]
  let end = first.to
  let next = from + 1
  for (; next < places.length; next++) {
    const { buffer, from: at, to } = places[next]
    if (buffer !== first.buffer || at > end + GAP_BYTES || to > first.from + READ_BYTES) break
    end = Math.max(end, to)
  }
  const data = await batch.read(column, 2 + first.buffer, first.from, end - first.from)
  for (const { row, from: at, to } of places.slice(from, next)) {
    texts[row] = data.subarray(at - first.from, to - first.from)
  }
  return next
}
