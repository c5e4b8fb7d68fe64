import type { DurableQueue } from '../../../spill/durable-queue.js'
import type { Queue } from '../../../spill/queue.js'
import type { RecoveredFile } from '../../../spill/files/recover-spill-file.js'
import { InvalidIdError } from '../../errors.js'
import { FINGERPRINT_LANES, idFingerprint } from '../../format/ids/id-fingerprint.js'
import type { Id } from '../../api/vectors.js'
import { FanOut } from '../layer/fan-out.js'
import type { Uses } from '../run/run.js'
import { RecentIds } from './recent-ids.js'
import { assertId, encodedIdBytes, writeId } from '../../format/ids/encode-ids.js'
import { RECORD_HEAD_BYTES } from '../segments/numbered-records.js'

/** The ids that ingest collects for the finished index. */
export interface CollectedIds {
  /** Records `[u32 ordinal][u32 length][encoded id]`, in order of ordinal, unaligned. */
  readonly ids: Queue<null>
  /** Records `[u32 x 3 fingerprint][u32 ordinal]`, partitioned by the first bits of the fingerprint. */
  readonly partitions: readonly Queue<null>[]
  /** True when the caller gave ids. Only given ids can repeat. */
  readonly given: boolean
  readonly totalIdBytes: number
  /** A set bit marks an ordinal that is not in the index; undefined when all are in it. */
  readonly dropped: Uint8Array | undefined
}

/** Fingerprints of ids are sorted partition by partition. With 2^6 partitions, 50M ids take 13 MB in each. */
export const ID_PARTITION_BITS = 6
const ID_PARTITION_BATCH_BYTES = 16 * 1024
export const ID_RECORD_BYTES = 4 * (FINGERPRINT_LANES + 1)
/** An id is held whole, several times over, beside what the plan counts. */
const MAX_ID_BYTES = 2 ** 20
/** The smallest row of an ingest batch: an ordinal and one component. */
const LEAST_ROW_BYTES = 8

/**
 * Encodes each id immediately, so that no string is kept. Stores its fingerprint for the duplicate check and the id
 * table.
 */
export class IdCollector {
  /** The queue of ids in a build that can be resumed. */
  readonly durableQueue: DurableQueue<null> | undefined
  readonly #idsOut: FanOut
  readonly #partitionsOut: FanOut
  #given: boolean | undefined
  #totalIdBytes = 0
  #dropped: Uint8Array | undefined
  /** For error messages: rows are checked one batch at a time. */
  readonly #recent: RecentIds
  #record = Buffer.alloc(256)
  readonly #fingerprint = new Uint32Array(FINGERPRINT_LANES + 1)
  readonly #fingerprintBytes = new Uint8Array(this.#fingerprint.buffer)

  /** `restored`: the ids of an interrupted build. The caller then passes their records to `file`. */
  constructor(
    { queues }: Uses<'queues'>,
    restored?: { readonly files: readonly RecoveredFile[]; readonly given: boolean },
  ) {
    const { buffers, batchBytes } = queues
    this.#given = restored?.given
    this.#recent = new RecentIds(Math.ceil(batchBytes / LEAST_ROW_BYTES))
    this.durableQueue = queues.openDurable<null>('ids', restored?.files)
    this.#idsOut = new FanOut([this.durableQueue ?? queues.open<null>('ids')], queues)
    const partitions = Array.from({ length: 2 ** ID_PARTITION_BITS }, (_, i) => queues.open<null>(`id-keys-${i}`))
    this.#partitionsOut = new FanOut(partitions, { buffers, batchBytes: ID_PARTITION_BATCH_BYTES })
  }

  /** Without an `id`, the ordinal is the id. Either every vector has an id, or none has. */
  add(id: Id | undefined, ordinal: number): Promise<void> | undefined {
    this.#given ??= id !== undefined
    if (this.#given !== (id !== undefined)) {
      throw new InvalidIdError(
        this.#given
          ? `vector ${ordinal} has no id, while those before it have; give every vector an id, or none`
          : `vector ${ordinal} has id ${JSON.stringify(id)}, while those before it have none; give every vector an id, or none`,
      )
    }
    if (id !== undefined) {
      assertId(id)
      this.#recent.add(id, ordinal)
    }
    const stored = id ?? ordinal
    const bytes = encodedIdBytes(stored)
    if (bytes > MAX_ID_BYTES) {
      throw new InvalidIdError(
        `the id of vector ${ordinal} takes ${bytes} bytes, and an id may take ${MAX_ID_BYTES}; ` +
          `store long texts elsewhere, under a short key that is the id`,
      )
    }
    if (this.#record.length < RECORD_HEAD_BYTES + bytes) this.#record = Buffer.alloc(2 * (RECORD_HEAD_BYTES + bytes))
    this.#record.writeUInt32LE(ordinal, 0)
    this.#record.writeUInt32LE(bytes, 4)
    writeId(this.#record, RECORD_HEAD_BYTES, stored)
    const idPushed = this.#idsOut.appendRecord(0, this.#record, 0, RECORD_HEAD_BYTES + bytes)
    const keyPushed = this.file(stored, bytes, ordinal)
    if (idPushed === undefined) return keyPushed
    return keyPushed === undefined ? idPushed : Promise.all([idPushed, keyPushed]).then(() => undefined)
  }

  /** Stores the fingerprint of an id whose record is in the queue, where `stored` takes `bytes` bytes. */
  file(stored: Id, bytes: number, ordinal: number): Promise<void> | undefined {
    this.#totalIdBytes += bytes
    idFingerprint(stored, this.#fingerprint, 0)
    this.#fingerprint[FINGERPRINT_LANES] = ordinal
    const partition = this.#fingerprint[0] >>> (32 - ID_PARTITION_BITS)
    return this.#partitionsOut.appendRecord(partition, this.#fingerprintBytes, 0, ID_RECORD_BYTES)
  }

  get given(): boolean {
    return this.#given ?? false
  }

  /** Resolves when all ids so far are in the queue. */
  async flush(): Promise<void> {
    await this.#idsOut.flush()
  }

  /** The id of a recent vector, when ids are given and it is not forgotten. */
  recentId(ordinal: number): Id | undefined {
    return this.#recent.of(ordinal)
  }

  drop(ordinal: number): void {
    this.#dropped = withBit(this.#dropped, ordinal)
  }

  async finish(): Promise<CollectedIds> {
    await this.#idsOut.flush()
    await this.#partitionsOut.flush()
    return {
      ids: this.#idsOut.queues[0],
      partitions: this.#partitionsOut.queues,
      given: this.given,
      totalIdBytes: this.#totalIdBytes,
      dropped: this.#dropped,
    }
  }
}

/** Sets bit `ordinal`. Grows the bitmap as needed, in shared memory for the workers. */
export function withBit(bits: Uint8Array | undefined, ordinal: number): Uint8Array {
  const byte = Math.floor(ordinal / 8)
  let grown = bits
  if (grown === undefined || grown.length <= byte) {
    grown = new Uint8Array(new SharedArrayBuffer(Math.max(1024, 2 * (byte + 1))))
    if (bits !== undefined) grown.set(bits)
  }
  grown[byte] |= 1 << (ordinal % 8)
  return grown
}

export function hasBit(bits: Uint8Array | undefined, ordinal: number): boolean {
  return bits !== undefined && (bits[Math.floor(ordinal / 8)] & (1 << (ordinal % 8))) !== 0
}
