/**
 * Verifies the stored ids and the table that leads from ids to nodes.
 *
 * The table and the ids are in different orders. They are compared without holding either: a sum over all (hash, node)
 * pairs does not depend on their order, and two sums that agree in 64 bits are taken as equal.
 */
import buffer from 'node:buffer'
import { CorruptIndexError } from '../../errors.js'
import type { Id } from '../../api/vectors.js'
import { FINGERPRINT_LANES, idFingerprint } from '../ids/id-fingerprint.js'
import { decodeIdBytes } from '../ids/encode-ids.js'
import { lowbias32 } from '../ids/lowbias32.js'
import { recordRuns } from '../segment/record-runs.js'
import type { SegmentReader } from '../segment/segment-reader.js'
import { ID_TABLE_STRIDE_BYTES } from '../segment/segment-file.js'
import { MAX_LISTED_PROBLEMS, type VerifyFindings } from './verify-report.js'
import { fileOffset } from './verify-segment.js'

/** A sum of (hash, node) pairs that does not depend on their order. */
export class PairSum {
  #first = 0
  #second = 0

  add(high: number, low: number, node: number): void {
    const one = lowbias32(high ^ lowbias32(node + 0x9e3779b9))
    this.#first = (this.#first + one) | 0
    this.#second = (this.#second + lowbias32(low ^ lowbias32(one + 0x85ebca6b))) | 0
  }

  equals(other: PairSum): boolean {
    return this.#first === other.#first && this.#second === other.#second
  }
}

/** Decodes every id of an ids segment and adds its pair to `pairs`. The bytes themselves are verified already. */
export async function verifyIds(reader: SegmentReader, pairs: PairSum, findings: VerifyFindings): Promise<void> {
  const print = new Uint32Array(FINGERPRINT_LANES)
  for await (const run of recordRuns(reader)) {
    for (let i = 0; i < run.count; i++) {
      const node = run.firstNode + i
      const id = soundId(run.bytesOf(i), `the id of node ${node}`, reader.path)
      if (id instanceof CorruptIndexError) {
        findings.addError(id)
        continue
      }
      idFingerprint(id, print, 0)
      pairs.add(print[0], print[1], node)
    }
  }
}

function soundId(bytes: Buffer, what: string, path: string): Id | CorruptIndexError {
  if (!buffer.isUtf8(bytes.subarray(1)) && bytes[0] === 1) return new CorruptIndexError(path, `${what} is not UTF-8`)
  try {
    return decodeIdBytes(bytes, what, path)
  } catch (error) {
    if (error instanceof CorruptIndexError) return error
    throw error
  }
}

/** Checks the rows of the id table front to back, with one bit of memory for each node. */
export class IdTableCheck {
  readonly pairs = new PairSum()
  /** Nodes of adjacent rows with one hash, the first of them: a hash collision or a repeated id. */
  readonly equalHashes: (readonly [number, number])[] = []
  /** Rows whose hash is not that of the row before. */
  distinctHashes = 0
  readonly #path: string
  readonly #count: number
  readonly #findings: VerifyFindings
  readonly #seen: Uint8Array
  #last: { high: number; low: number; node: number } = { high: 0, low: 0, node: -1 }

  constructor(path: string, count: number, findings: VerifyFindings) {
    this.#path = path
    this.#count = count
    this.#findings = findings
    this.#seen = new Uint8Array(Math.ceil(count / 8))
  }

  visit(words: Uint32Array, dataOffset: number): void {
    for (let at = 0; at < words.length; at += ID_TABLE_STRIDE_BYTES / 4) {
      const high = words[at]
      const low = words[at + 1]
      const node = words[at + 2]
      const reason = this.#problem(high, low, node, words[at + 3])
      if (reason !== undefined) {
        this.#findings.add({ path: this.#path, offset: fileOffset(dataOffset + 4 * at), reason })
      }
      this.pairs.add(high, low, node)
      this.#last = { high, low, node }
    }
  }

  #problem(high: number, low: number, node: number, reserved: number): string | undefined {
    const { high: lastHigh, low: lastLow, node: lastNode } = this.#last
    if (reserved !== 0) return `the reserved word of the row is ${reserved}, not 0`
    if (node >= this.#count) return `node ${node} of ${this.#count}`
    const bit = 1 << (node & 7)
    if ((this.#seen[node >>> 3] & bit) !== 0) return `node ${node} is in the table twice`
    this.#seen[node >>> 3] |= bit
    const sameHash = high === lastHigh && low === lastLow && lastNode >= 0
    if (!sameHash) this.distinctHashes++
    if (sameHash && this.equalHashes.length < MAX_LISTED_PROBLEMS) this.equalHashes.push([lastNode, node])
    const descends = high < lastHigh || (high === lastHigh && low < lastLow) || (sameHash && node < lastNode)
    return descends ? 'the row is smaller than the one before it' : undefined
  }
}

/** Reads one id from its segment. `index`: node − firstNode. */
export async function readStoredId(reader: SegmentReader, index: number): Promise<Id> {
  const { count } = reader.header
  const ends = new Uint32Array(2)
  await reader.read(4 * index, new Uint8Array(ends.buffer))
  const bytes = Buffer.allocUnsafe(ends[1] - ends[0])
  await reader.read(4 * (count + 1) + ends[0], bytes)
  return decodeIdBytes(bytes, `id ${index}`, reader.path)
}
