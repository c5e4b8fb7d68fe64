import type { TermsWriter } from '../../format/fields/terms-writer.js'
import { writeVarint } from '../../format/fields/varint.js'
import type { SegmentStream } from '../../format/segment/segment-stream.js'
import { PIECE_HEAD_BYTES } from './postings-table.js'
import type { RunMerge } from './sort/run-merge.js'

/** How many entries are merged between two looks at the signal. */
const CHECKED_EVERY = 2 ** 14

/** Writes the postings of each term as one list, out of its pieces in runs of ascending nodes. */
export async function mergePostings(
  merge: RunMerge,
  terms: TermsWriter,
  postings: SegmentStream,
  throwIfAborted: () => void,
): Promise<void> {
  const term = new Uint8Array(255)
  const firstGap = new Uint8Array(5)
  let [length, documents, begin, last] = [0, 0, 0, -1]
  const endTerm = (): void => {
    if (documents > 0) terms.add(term, length, documents, postings.length - begin)
  }
  let entries = 0
  for (let more = merge.next(); typeof more === 'boolean' ? more : await more; more = merge.next()) {
    if (entries++ % CHECKED_EVERY === 0) throwIfAborted()
    const { bytes, keyFrom, keyTo, payloadTo } = merge
    if (merge.isNewKey) {
      endTerm()
      length = keyTo - keyFrom
      for (let i = 0; i < length; i++) term[i] = bytes[keyFrom + i]
      documents = 0
      begin = postings.length
      last = -1
    }
    const head = new DataView(bytes.buffer, bytes.byteOffset + keyTo, PIECE_HEAD_BYTES)
    documents += head.getUint32(0, true)
    // The first gap of a piece is 0, in one byte with the bit that says whether the term is there once.
    const restFrom = keyTo + PIECE_HEAD_BYTES
    const once = bytes[restFrom]
    const gapBytes = writeVarint(firstGap, 0, 2 * (head.getUint32(4, true) - last) + once)
    postings.write(firstGap.subarray(0, gapBytes))
    postings.write(bytes.subarray(restFrom + 1, payloadTo))
    last = head.getUint32(8, true)
  }
  endTerm()
}
