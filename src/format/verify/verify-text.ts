/** Verifies the inverted index of a text field: its files agree with each other. Their bytes are verified already. */
import { setImmediate } from 'node:timers/promises'
import { CorruptIndexError } from '../../errors.js'
import { compareBytes } from '../../fields/compare-bytes.js'
import type { Field } from '../../fields/field.js'
import type { FieldData } from '../fields/field-data.js'
import { StoredPostings } from '../fields/postings-cursor.js'
import { TermsCursor } from '../fields/terms-cursor.js'
import { TermsFile } from '../fields/terms-file.js'
import { NO_TEXT, type TextFiles } from '../fields/text-files.js'
import { lowbias32 } from '../ids/lowbias32.js'
import { SegmentBlocks } from '../segment/segment-blocks.js'
import { segmentFileName } from '../segment/segment-file.js'
import type { VerifyFindings } from './verify-report.js'
import type { SegmentCheck } from './verify-segment.js'

const KINDS = ['terms', 'postings', 'column'] as const
const NODES_AT_ONCE = 4096
/** Reads are synchronous: after so many postings other work has its turn. */
const POSTINGS_AT_ONCE = 2 ** 20

/** What texts hold: sums that do not depend on the order in which they are made. */
interface TextSums {
  readonly documents: number
  readonly tokens: number
  /** Of (node, length) pairs: two sums that agree are taken as equal. */
  readonly pairs: number
}

/** Compares the files of each text field. `sound`: files without damage, by name; the others are reported already. */
export async function verifyTexts(
  fields: readonly Field[],
  sound: ReadonlyMap<string, SegmentCheck>,
  findings: VerifyFindings,
): Promise<void> {
  for (const [field, { type }] of fields.entries()) {
    if (type !== 'text') continue
    const checks = KINDS.flatMap((kind) => sound.get(segmentFileName(kind, field)) ?? [])
    if (checks.length === KINDS.length) await verifyTextField(checks, findings)
  }
}

async function verifyTextField(checks: readonly SegmentCheck[], findings: VerifyFindings): Promise<void> {
  const opened: SegmentBlocks[] = []
  try {
    for (const { path, file, manifest } of checks) opened.push(SegmentBlocks.open(path, file, manifest))
    const [terms, postings, lengths] = opened
    await verifyText({ terms, postings, lengths }, lengths.header.count)
  } catch (error) {
    findings.addError(error)
  } finally {
    for (const file of opened) file.close()
  }
}

/**
 * Reads all terms, postings and lengths once: terms ascend, postings are where terms say and are of nodes of the index,
 * and the lengths of texts are the sums of their terms. `count`: nodes. @throws CorruptIndexError
 */
export async function verifyText({ terms, postings, lengths }: TextFiles, count: number): Promise<void> {
  const file = new TermsFile(terms, count, postings.header.dataBytes)
  const inverted = await verifyTerms(file, postings, count)
  const texts = sumLengths(lengths, count)
  const { documents, tokens } = file.tail
  if (documents !== texts.documents || tokens !== texts.tokens) {
    const said = `${documents} texts of ${tokens} terms`
    throw new CorruptIndexError(terms.path, `${said}, the column has ${texts.documents} of ${texts.tokens}`)
  }
  if (inverted.tokens !== texts.tokens || inverted.pairs !== texts.pairs) {
    throw new CorruptIndexError(postings.path, 'the postings do not match the lengths of texts')
  }
}

async function verifyTerms(
  file: TermsFile,
  postings: FieldData,
  nodes: number,
): Promise<Pick<TextSums, 'tokens' | 'pairs'>> {
  const cursor = new TermsCursor(file)
  const last = new Uint8Array(cursor.term.length)
  const found = { nodes: new Uint32Array(NODES_AT_ONCE), times: new Uint32Array(NODES_AT_ONCE) }
  let [lastLength, postingsTo, tokens, pairs, read] = [-1, 0, 0, 0, 0]
  while (cursor.next()) {
    if (lastLength >= 0 && compareBytes(last, 0, lastLength, cursor.term, 0, cursor.length) >= 0) {
      throw new CorruptIndexError(file.path, 'a term is not after the one before it')
    }
    last.set(cursor.term)
    lastLength = cursor.length
    if (cursor.postingsFrom !== postingsTo) {
      throw new CorruptIndexError(file.path, `postings begin at byte ${cursor.postingsFrom}, not at ${postingsTo}`)
    }
    postingsTo += cursor.postingsBytes
    read += cursor.documents
    if (read > POSTINGS_AT_ONCE) {
      read = 0
      await setImmediate()
    }
    const { postingsFrom: from, postingsBytes: bytes, documents } = cursor
    const list = new StoredPostings(postings, { from, bytes, documents, nodes })
    while (list.node < Infinity) {
      const filled = list.fill((Math.floor(list.node / NODES_AT_ONCE) + 1) * NODES_AT_ONCE, found.nodes, found.times)
      for (let i = 0; i < filled; i++) {
        tokens += found.times[i]
        pairs = (pairs + Math.imul(found.times[i], lowbias32(found.nodes[i]))) | 0
      }
    }
  }
  if (postingsTo !== file.tail.postingsBytes) {
    throw new CorruptIndexError(file.path, `the postings of the last term end at byte ${postingsTo}`)
  }
  return { tokens, pairs }
}

function sumLengths(lengths: FieldData, count: number): TextSums {
  const page = new Uint32Array(NODES_AT_ONCE)
  let [documents, tokens, pairs] = [0, 0, 0]
  for (let first = 0; first < count; first += NODES_AT_ONCE) {
    const nodes = Math.min(NODES_AT_ONCE, count - first)
    lengths.read(4 * first, new Uint8Array(page.buffer, 0, 4 * nodes))
    for (let i = 0; i < nodes; i++) {
      if (page[i] === NO_TEXT) continue
      documents++
      tokens += page[i]
      pairs = (pairs + Math.imul(page[i], lowbias32(first + i))) | 0
    }
  }
  return { documents, tokens, pairs }
}
