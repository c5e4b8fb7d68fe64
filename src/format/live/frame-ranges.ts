import { InvalidIdError } from '../../errors.js'
import type { Id } from '../../api/vectors.js'
import { encodedIdsBytes } from '../ids/encode-ids.js'
import { MAX_PAYLOAD_BYTES } from './log-frame.js'

/** Of the offset of an id, and one more for all. */
const OFFSET_BYTES = 4

/**
 * Divides rows so that each range fits one frame and has `mostRows` at most: [from, to) pairs. `rowBytes`: of a row
 * besides its id. @throws InvalidIdError for an id that no frame has room for
 */
export function* frameRanges(
  ids: readonly Id[],
  rowBytes: number,
  mostRows: number,
  mostBytes = MAX_PAYLOAD_BYTES,
): Generator<readonly [from: number, to: number]> {
  let from = 0
  let bytes = OFFSET_BYTES
  for (let at = 0; at < ids.length; at++) {
    const added = rowBytes + encodedIdsBytes([ids[at]]) - OFFSET_BYTES
    if (OFFSET_BYTES + added > MAX_PAYLOAD_BYTES) {
      const idBytes = encodedIdsBytes([ids[at]])
      throw new InvalidIdError(`an id of ${idBytes} bytes does not fit a change of ${MAX_PAYLOAD_BYTES} bytes`)
    }
    if (at > from && (at - from === mostRows || bytes + added > mostBytes)) {
      yield [from, at]
      from = at
      bytes = OFFSET_BYTES
    }
    bytes += added
  }
  if (from < ids.length) yield [from, ids.length]
}
