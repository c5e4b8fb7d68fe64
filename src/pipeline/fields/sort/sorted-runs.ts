/**
 * External sort of byte keys: what does not fit in memory is written as a sorted run, and the runs are merged. Entries
 * are `[u32 bytes of the key][u32 bytes of the payload][key][payload]`, in the order of bytes of their keys.
 */
import type { Queue } from '../../../../spill/queue.js'
import type { Queues } from '../../run/queues.js'
import { ENTRY_HEAD_BYTES, RunMerge } from './run-merge.js'

const BATCH_BYTES = 64 * 1024
/** Runs that are merged at once; each has a batch in memory. */
const MOST_MERGED = 32

export class SortedRuns {
  readonly #queues: Queues
  readonly #name: string
  readonly #mostMerged: number
  #runs: Queue<null>[] = []
  #written = 0
  #batch: Uint8Array | undefined
  #used = 0
  #entries = 0

  /** `name`: begins the names of its queues; unique in the build. */
  constructor(queues: Queues, name: string, mostMerged = MOST_MERGED) {
    this.#queues = queues
    this.#name = name
    this.#mostMerged = mostMerged
  }

  /** Runs that were begun. */
  get count(): number {
    return this.#runs.length
  }

  /** Begins a run: the entries that follow. */
  begin(): void {
    this.#runs.push(this.#queues.open<null>(`${this.#name}-run-${this.#written++}`))
  }

  /**
   * Adds an entry to the run: the key is the bytes `from` up to `to`, larger than the one before or equal to it. All is
   * copied. Resolves, where it does not return at once, when there is room for more.
   */
  add(bytes: Uint8Array, from: number, to: number, payload: Uint8Array): Promise<void> | undefined {
    const size = ENTRY_HEAD_BYTES + to - from + payload.length
    const pushed = this.#batch !== undefined && this.#used + size > this.#batch.length ? this.#push() : undefined
    this.#batch ??= this.#queues.buffers.acquire(Math.max(BATCH_BYTES, size))
    const into = this.#batch
    let at = putWord(into, putWord(into, this.#used, to - from), payload.length)
    for (let i = from; i < to; i++) into[at++] = bytes[i]
    into.set(payload, at)
    this.#used += size
    this.#entries++
    return pushed
  }

  /** Ends the run. */
  async end(): Promise<void> {
    await this.#push()
  }

  /** All entries by ascending keys, those of one key in the order of the runs. Takes the runs away as it goes. */
  async merge(): Promise<RunMerge> {
    while (this.#runs.length > this.#mostMerged) await this.#mergeNeighbours()
    return RunMerge.open(this.#queues, this.#runs.splice(0))
  }

  /** Runs that follow each other become one, so that entries of one key stay in order. */
  async #mergeNeighbours(): Promise<void> {
    const runs = this.#runs.splice(0)
    for (let at = 0; at < runs.length; at += this.#mostMerged) {
      const merge = await RunMerge.open(this.#queues, runs.slice(at, at + this.#mostMerged))
      this.begin()
      while (await merge.next()) {
        const { bytes, keyFrom, keyTo, payloadTo } = merge
        const pushed = this.add(bytes, keyFrom, keyTo, bytes.subarray(keyTo, payloadTo))
        if (pushed !== undefined) await pushed
      }
      await this.end()
    }
  }

  async #push(): Promise<void> {
    if (this.#batch === undefined) return
    const batch = { header: null, count: this.#entries, bytes: this.#batch.subarray(0, this.#used) }
    this.#batch = undefined
    this.#used = this.#entries = 0
    await this.#runs[this.#runs.length - 1].push(batch)
  }
}

/** Little-endian; returns where it ends. */
function putWord(bytes: Uint8Array, at: number, word: number): number {
  bytes[at] = word
  bytes[at + 1] = word >>> 8
  bytes[at + 2] = word >>> 16
  bytes[at + 3] = word >>> 24
  return at + 4
}
