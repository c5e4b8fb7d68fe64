import type { BufferPool } from '../../../spill/buffer-pool.js'
import type { Queue } from '../../../spill/queue.js'
import { copyBytes } from '../segments/numbered-records.js'

interface OpenBatch {
  readonly bytes: Uint8Array
  used: number
  count: number
}

/**
 * Collects records for many queues, with one open batch per queue. Small runs of records are copied to the open batch,
 * which is pushed when it is full, so that queues and spill files get batches of a useful size. Open batches come from
 * the buffer pool and have the plan's `batchBytes` each; they are not charged to the spill budget.
 */
export class FanOut {
  readonly queues: readonly Queue<null>[]
  readonly #buffers: BufferPool
  readonly #batchBytes: number
  readonly #open: (OpenBatch | undefined)[]

  constructor(
    queues: readonly Queue<null>[],
    { buffers, batchBytes }: { readonly buffers: BufferPool; readonly batchBytes: number },
  ) {
    this.queues = queues
    this.#buffers = buffers
    this.#batchBytes = batchBytes
    this.#open = new Array<OpenBatch | undefined>(queues.length).fill(undefined)
  }

  /**
   * Copies a run of `count` records to the open batch of `partition`. Records of one fixed length are split over two
   * batches when the first is full; others stay together. Most runs fit and return no promise. Otherwise the promise
   * resolves when there is room for more.
   */
  append(partition: number, records: Uint8Array, count: number, fixedLength = false): Promise<void> | undefined {
    const recordBytes = fixedLength ? records.length / count : records.length
    const pushes: Promise<void>[] = []
    for (let at = 0; at < records.length;) {
      let open = this.#open[partition]
      if (open !== undefined && open.used + recordBytes > open.bytes.length) {
        pushes.push(this.#push(partition))
        open = undefined
      }
      open ??= this.#open[partition] = {
        bytes: this.#buffers.acquire(Math.max(this.#batchBytes, recordBytes)),
        used: 0,
        count: 0,
      }
      const fitting = Math.floor((open.bytes.length - open.used) / recordBytes) * recordBytes
      const part = records.subarray(at, at + fitting)
      open.bytes.set(part, open.used)
      open.used += part.length
      open.count += fixedLength ? part.length / recordBytes : count
      at += part.length
    }
    return pushes.length === 0 ? undefined : Promise.all(pushes).then(() => undefined)
  }

  /**
   * Copies one record, the bytes from `from` up to `to`. Streams call this once per vector, so it allocates no
   * object unless a batch is full.
   */
  appendRecord(partition: number, bytes: Uint8Array, from: number, to: number): Promise<void> | undefined {
    const open = this.#open[partition]
    if (open === undefined || open.used + to - from > open.bytes.length) {
      return this.append(partition, bytes.subarray(from, to), 1)
    }
    copyBytes(open.bytes, open.used, bytes, from, to)
    open.used += to - from
    open.count++
    return undefined
  }

  /** Pushes the open batches, so that the queues contain everything. */
  async flush(): Promise<void> {
    for (let partition = 0; partition < this.#open.length; partition++) await this.#push(partition)
  }

  async #push(partition: number): Promise<void> {
    const open = this.#open[partition]
    if (open === undefined) return
    this.#open[partition] = undefined
    await this.queues[partition].push({
      header: null,
      count: open.count,
      bytes: open.bytes.subarray(0, open.used),
    })
  }
}
