import { crc32 } from 'node:zlib'
import type { Kernel } from '../../../kernel/kernel.js'
import { readBatches } from '../../../spill/read-batches.js'
import type { BatchRef } from '../../../spill/batch.js'
import type { GridSpec } from '../../rows/grid-spec.js'
import { recordBytesOf, type RowKind } from '../../rows/record-layout.js'
import { hashOrdinal, SALT_SAMPLE } from '../../rows/hash-ordinal.js'
import { gridEncoder, gridOps } from '../../rows/grid-ops.js'

/** Records of a shard as its queues hold them. */
export interface RecordShare {
  readonly input: readonly BatchRef<null>[]
  readonly rowKind: RowKind
}

/** Samples the distinct codes of one shard, and finds the code that most of its members have, if there is one. */
export interface SampleTask {
  readonly shares: readonly RecordShare[]
  readonly spec: GridSpec
  readonly wanted: number
  readonly seed: number
}

export interface SampleResult {
  /** Distinct codes in random order, at most `wanted`. */
  readonly codes: Uint8Array
  readonly count: number
  /** The code of more than half of the members. */
  readonly mass: { readonly code: Uint8Array; readonly members: number } | undefined
}

/** Rows encoded at a time. */
const CHUNK_ROWS = 256

/**
 * The sample is the codes with the smallest hashes (a bottom-k sketch): each distinct code is as likely as any other,
 * however many copies it has, and the order of the records does not matter. The mass is found by majority vote (Boyer
 * and Moore 1981) and counted in a second pass.
 */
export function sampleShard(kernel: Kernel, task: SampleTask): SampleResult {
  const { rowBytes } = gridOps(kernel, task.spec)
  const sketch = new CodeSketch(task.wanted, rowBytes, task.seed)
  const candidate = new Uint8Array(rowBytes)
  let candidateSum = -1
  let votes = 0
  eachCode(kernel, task, (code) => {
    const sum = crc32(code)
    sketch.offer(code, sum)
    if (votes > 0 && sum === candidateSum && Buffer.compare(code, candidate) === 0) votes++
    else if (votes > 0) votes--
    else {
      candidate.set(code)
      candidateSum = sum
      votes = 1
    }
  })
  let members = 0
  let same = 0
  if (votes > 0) {
    eachCode(kernel, task, (code) => {
      members++
      if (Buffer.compare(code, candidate) === 0) same++
    })
  }
  return { ...sketch.finish(), mass: 2 * same > members ? { code: candidate, members: same } : undefined }
}

function eachCode(kernel: Kernel, { shares, spec }: SampleTask, visit: (code: Uint8Array) => void): void {
  const ops = gridOps(kernel, spec)
  for (const { input, rowKind } of shares) {
    const mark = kernel.mark()
    const recordBytes = recordBytesOf(rowKind, spec)
    const rowBytes = recordBytes - 4
    const encode = gridEncoder(kernel, spec)
    const rows = kernel.alloc(CHUNK_ROWS * rowBytes)
    const codes = rowKind === 'grid' ? rows : kernel.alloc(CHUNK_ROWS * ops.rowBytes)
    const rowView = kernel.u8(rows, CHUNK_ROWS * rowBytes)
    const codeView = kernel.u8(codes, CHUNK_ROWS * ops.rowBytes)
    for (const batch of readBatches<null>(input)) {
      for (let from = 0; from < batch.count; from += CHUNK_ROWS) {
        const count = Math.min(CHUNK_ROWS, batch.count - from)
        for (let i = 0, at = from * recordBytes + 4; i < count; i++, at += recordBytes) {
          rowView.set(batch.bytes.subarray(at, at + rowBytes), i * rowBytes)
        }
        if (rowKind === 'vectors') encode(rows, count, codes)
        for (let i = 0; i < count; i++) visit(codeView.subarray(i * ops.rowBytes, (i + 1) * ops.rowBytes))
      }
    }
    kernel.release(mark)
  }
}

/**
 * The `wanted` distinct codes with the smallest hashes. Of two codes with the same hash, the one with the smaller bytes
 * is kept.
 */
class CodeSketch {
  readonly #wanted: number
  readonly #rowBytes: number
  readonly #seed: number
  /** Place of each kept code, by its hash. */
  #places = new Map<number, number>()
  readonly #codes: Uint8Array
  #below = 2 ** 32

  constructor(wanted: number, rowBytes: number, seed: number) {
    this.#wanted = wanted
    this.#rowBytes = rowBytes
    this.#seed = seed
    this.#codes = new Uint8Array(2 * wanted * rowBytes)
  }

  offer(code: Uint8Array, sum: number): void {
    const hash = hashOrdinal(this.#seed, SALT_SAMPLE, sum)
    if (hash >= this.#below) return
    const place = this.#places.get(hash)
    if (place !== undefined) {
      const kept = this.#codeAt(place)
      if (Buffer.compare(code, kept) < 0) kept.set(code)
      return
    }
    if (this.#places.size === 2 * this.#wanted) this.#keepSmallest()
    if (hash >= this.#below) return
    const next = this.#places.size
    this.#codeAt(next).set(code)
    this.#places.set(hash, next)
  }

  finish(): { codes: Uint8Array; count: number } {
    this.#keepSmallest()
    const count = this.#places.size
    const codes = new Uint8Array(new SharedArrayBuffer(count * this.#rowBytes))
    codes.set(this.#codes.subarray(0, codes.length))
    return { codes, count }
  }

  /** Keeps the `wanted` codes with the smallest hashes, in the order of their hashes. */
  #keepSmallest(): void {
    const kept = Array.from(this.#places.entries())
      .sort(([a], [b]) => a - b)
      .slice(0, this.#wanted)
    const codes = this.#codes.slice()
    kept.forEach(([, place], i) => {
      this.#codeAt(i).set(codes.subarray(place * this.#rowBytes, (place + 1) * this.#rowBytes))
    })
    this.#places = new Map(kept.map(([hash], i) => [hash, i]))
    if (kept.length === this.#wanted) this.#below = kept[kept.length - 1][0] + 1
  }

  #codeAt(place: number): Uint8Array {
    return this.#codes.subarray(place * this.#rowBytes, (place + 1) * this.#rowBytes)
  }
}
