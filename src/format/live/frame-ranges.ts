import { InvalidIdError } from '../../errors.js'
import type { Id } from '../../api/vectors.js'
import { encodedIdsBytes } from '../ids/encode-ids.js'
import { MAX_PAYLOAD_BYTES } from './log-frame.js'

/** Of the offset of an id, and one more for all. */
const OFFSET_BYTES = 4
/** Of the first offset of ids, and of field rows. */
const FIRST_OFFSETS_BYTES = 2 * OFFSET_BYTES

/**
 * Divides rows so that each range fits one frame and has `mostRows` at most: [from, to) pairs. `rowBytes`: of each row
 * besides its id. @throws InvalidIdError for an id that no frame has room for
 */
export function* frameRanges(
  ids: readonly Id[],
  rowBytes: number | ((row: number) => number),
  mostRows: number,
  mostBytes = MAX_PAYLOAD_BYTES,
): Generator<readonly [from: number, to: number]> {
  let from = 0
  let bytes = FIRST_OFFSETS_BYTES
  const bytesOf = typeof rowBytes === 'number' ? () => rowBytes : rowBytes
  for (let at = 0; at < ids.length; at++) {
    const added = bytesOf(at) + encodedIdsBytes([ids[at]]) - OFFSET_BYTES
    if (FIRST_OFFSETS_BYTES + added > MAX_PAYLOAD_BYTES) {
      const idBytes = encodedIdsBytes([ids[at]])
      throw new InvalidIdError(`an id of ${idBytes} bytes does not fit a change of ${MAX_PAYLOAD_BYTES} bytes`)
    }
    if (at > from && (at - from === mostRows || bytes + added > mostBytes)) {
      yield [from, at]
      from = at
      bytes = FIRST_OFFSETS_BYTES
    }
    bytes += added
  }
  if (from < ids.length) yield [from, ids.length]
}
