import type { SegmentFile } from '../../../format/segment/segment-file.js'
import { dictionaryBytesAt, dictionaryDataBytes } from '../../../format/fields/dictionary.js'
import type { PartWriter } from '../../../format/segment/part-writer.js'
import { FanOut } from '../../layer/fan-out.js'
import type { Queues } from '../../run/queues.js'
import { ColumnFile, type ColumnPlace } from './column-file.js'
import { HeldOffsets } from './held-offsets.js'
import { KeyTable } from '../sort/key-table.js'
import { SortedRuns } from '../sort/sorted-runs.js'

/** What an entry of a run says: the run, and the keyword's number in it. */
const ORIGIN_BYTES = 8
const PAIR_BYTES = 8
const MOST_BATCH_BYTES = 16 * 1024
const LEAST_BATCH_BYTES = 4096

/** From the number of a keyword in its run to its code. */
export type CodesOfRun = (run: number) => Promise<Uint32Array>

/**
 * Numbers the keywords of a field, in bounded memory: a keyword gets a number in its run at once, and its code, its place
 * among all keywords, when the last row has come. A run ends when the table of its keywords is full.
 */
export class KeywordCodes {
  readonly #queues: Queues
  readonly #name: string
  readonly #budgetBytes: number
  readonly #table: KeyTable
  readonly #runs: SortedRuns
  /** Keywords of each run that ended. */
  readonly #sizes: number[] = []

  constructor(queues: Queues, field: number, budgetBytes: number) {
    this.#queues = queues
    this.#name = `keywords-${field}`
    this.#budgetBytes = budgetBytes
    this.#table = new KeyTable(budgetBytes)
    this.#runs = new SortedRuns(queues, this.#name)
  }

  /** True: the run should end here. */
  get isFull(): boolean {
    return this.#table.isFull
  }

  /** The number in this run of the keyword that is the bytes `from` up to `to`. */
  numberOf(bytes: Uint8Array, from: number, to: number): number {
    return this.#table.codeOf(bytes, from, to)
  }

  async endRun(): Promise<void> {
    const table = this.#table
    const origin = new Uint32Array([this.#sizes.length, 0])
    const payload = new Uint8Array(origin.buffer)
    this.#runs.begin()
    for (const code of table.sorted()) {
      origin[1] = code
      const pushed = this.#runs.add(table.bytes, table.from(code), table.to(code), payload)
      if (pushed !== undefined) await pushed
    }
    await this.#runs.end()
    this.#sizes.push(table.count)
    table.clear()
  }

  /** After the last row: writes the dictionary. */
  async finish(place: ColumnPlace): Promise<{ readonly file: SegmentFile; readonly codesOf: CodesOfRun }> {
    return this.#sizes.length === 0 ? this.#finishInMemory(place) : this.#finishRuns(place)
  }

  async #finishInMemory(place: ColumnPlace): ReturnType<KeywordCodes['finish']> {
    const table = this.#table
    const sorted = table.sorted()
    const codes = new Uint32Array(table.count)
    for (let i = 0; i < sorted.length; i++) codes[sorted[i]] = i
    const keyBytes = table.count === 0 ? 0 : table.to(table.count - 1)
    const dictionary = await DictionaryWriter.create(place, table.count, keyBytes)
    try {
      for (const code of sorted) dictionary.add(table.bytes, table.from(code), table.to(code))
      return { file: await dictionary.seal(), codesOf: () => Promise.resolve(codes) }
    } finally {
      dictionary.close()
    }
  }

  async #finishRuns(place: ColumnPlace): ReturnType<KeywordCodes['finish']> {
    if (this.#table.count > 0) await this.endRun()
    const queues = this.#queues
    const share = PAIR_BYTES * Math.floor(this.#budgetBytes / 4 / this.#sizes.length / PAIR_BYTES)
    const pairs = new FanOut(
      this.#sizes.map((_, run) => queues.open<null>(`${this.#name}-codes-${run}`)),
      { buffers: queues.buffers, batchBytes: Math.max(LEAST_BATCH_BYTES, Math.min(MOST_BATCH_BYTES, share)) },
    )
    // The keywords go through a run of their own: how many there are is known when the last one has come.
    const distinct = new SortedRuns(queues, `${this.#name}-all`)
    const { values, keyBytes } = await this.#mergeInto(distinct, pairs)
    const dictionary = await DictionaryWriter.create(place, values, keyBytes)
    try {
      const merge = await distinct.merge()
      for (let next = merge.next(); typeof next === 'boolean' ? next : await next; next = merge.next()) {
        dictionary.add(merge.bytes, merge.keyFrom, merge.keyTo)
      }
      return { file: await dictionary.seal(), codesOf: (run) => this.#codesOf(run, pairs) }
    } finally {
      dictionary.close()
    }
  }

  /** Writes each keyword once to `distinct`, and to `pairs`, by run, its number there with its code. */
  async #mergeInto(distinct: SortedRuns, pairs: FanOut): Promise<{ values: number; keyBytes: number }> {
    const nothing = new Uint8Array(0)
    const pair = new Uint32Array(2)
    const pairBytes = new Uint8Array(pair.buffer)
    const origin = new Uint32Array(2)
    const originBytes = new Uint8Array(origin.buffer)
    let [values, keyBytes] = [0, 0]
    const merge = await this.#runs.merge()
    distinct.begin()
    for (let next = merge.next(); typeof next === 'boolean' ? next : await next; next = merge.next()) {
      const { bytes, keyFrom, keyTo } = merge
      if (merge.isNewKey) {
        values++
        keyBytes += keyTo - keyFrom
        const pushed = distinct.add(bytes, keyFrom, keyTo, nothing)
        if (pushed !== undefined) await pushed
      }
      for (let i = 0; i < ORIGIN_BYTES; i++) originBytes[i] = bytes[keyTo + i]
      pair[0] = origin[1]
      pair[1] = values - 1
      const pushed = pairs.appendRecord(origin[0], pairBytes, 0, PAIR_BYTES)
      if (pushed !== undefined) await pushed
    }
    await distinct.end()
    await pairs.flush()
    return { values, keyBytes }
  }

  /** Each run once. */
  async #codesOf(run: number, pairs: FanOut): Promise<Uint32Array> {
    const codes = new Uint32Array(this.#sizes[run])
    const queue = pairs.queues[run]
    for await (const { bytes } of queue) {
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
      for (let at = 0; at < words.length; at += 2) codes[words[at]] = words[at + 1]
      this.#queues.buffers.release(bytes)
    }
    await this.#queues.dispose(queue)
    return codes
  }
}

/** Writes keywords that come in their order, whose number and length are known. */
class DictionaryWriter {
  readonly #file: ColumnFile
  readonly #offsets: HeldOffsets
  readonly #keys: PartWriter
  #end = 0

  static async create(place: ColumnPlace, values: number, keyBytes: number): Promise<DictionaryWriter> {
    const file = await ColumnFile.create(place, 'dictionary', dictionaryDataBytes(values, keyBytes))
    return new DictionaryWriter(file, values)
  }

  private constructor(file: ColumnFile, values: number) {
    this.#file = file
    this.#offsets = new HeldOffsets(file.part(0), Float64Array)
    this.#keys = file.part(dictionaryBytesAt(values))
    this.#offsets.add(values)
    this.#offsets.add(0)
  }

  add(bytes: Uint8Array, from: number, to: number): void {
    this.#keys.write(bytes.subarray(from, to))
    this.#end += to - from
    this.#offsets.add(this.#end)
  }

  async seal(): Promise<SegmentFile> {
    this.#offsets.flush()
    return this.#file.seal()
  }

  close(): void {
    this.#file.close()
  }
}
