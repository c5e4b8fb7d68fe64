import type { DurableQueue } from '../../../spill/durable-queue.js'
import type { Queue } from '../../../spill/queue.js'
import type { RecoveredFile } from '../../../spill/files/recover-spill-file.js'
import type { FieldColumn, GivenFields } from '../../api/fields.js'
import type { Id } from '../../api/vectors.js'
import { InvalidFieldError, InvalidOptionError } from '../../errors.js'
import { FieldCodec } from '../../fields/field-codec.js'
import { FieldRowsBuilder } from '../../fields/field-rows-builder.js'
import { FieldRows } from '../../fields/field-rows.js'
import type { Field } from '../../fields/field.js'
import { FanOut } from '../layer/fan-out.js'
import type { Uses } from '../run/run.js'
import { copyBytes, RECORD_HEAD_BYTES } from '../segments/numbered-records.js'

/** The fields that ingest collects for the finished index. */
export interface CollectedFields {
  readonly fields: readonly Field[]
  /** Records `[u32 ordinal][u32 length][field row]`, one for each ordinal, in order. A refused row has no bytes. */
  readonly records: Queue<null>
  readonly totalBytes: number
}

/** Fields of the rows of a batch: a column each, or rows that are encoded already. */
export type BatchFields = Readonly<Record<string, FieldColumn>> | FieldRows

/** Rows that wait to be pushed. A row may have 1 MiB. */
const WAITING_BYTES = 2 ** 18
const WAITING_ROWS = 1024
const NO_BYTES = new Uint8Array(0)

/** Encodes the fields of each vector immediately, so that no object is kept. */
export class FieldCollector {
  readonly fields: readonly Field[]
  /** The queue of field rows in a build that can be resumed. */
  readonly durableQueue: DurableQueue<null> | undefined
  readonly #codec: FieldCodec
  readonly #builder: FieldRowsBuilder
  readonly #out: FanOut
  readonly #refuse: (error: InvalidFieldError, ordinal: number) => void
  /** The ordinal of the first row that waits in the builder. */
  #first = 0
  #record = Buffer.alloc(1024)
  #totalBytes = 0

  /**
   * `refuse`: is told of fields that break the schema, whose vector has to be left out. `restored`: the files of an
   * interrupted build. The caller then passes the lengths of their rows to `count`.
   */
  constructor(
    { queues }: Uses<'queues'>,
    fields: readonly Field[],
    refuse: (error: InvalidFieldError, ordinal: number) => void,
    restored?: readonly RecoveredFile[],
  ) {
    this.fields = fields
    this.#codec = new FieldCodec(fields)
    this.#builder = new FieldRowsBuilder(fields)
    this.#refuse = refuse
    this.durableQueue = queues.openDurable<null>('fields', restored)
    this.#out = new FanOut([this.durableQueue ?? queues.open<null>('fields')], queues)
  }

  /** Of all rows so far. */
  get totalBytes(): number {
    return this.#totalBytes + this.#builder.byteLength
  }

  /** Counts the bytes of a row that is in the queue. */
  count(bytes: number): void {
    this.#totalBytes += bytes
  }

  addRecord(given: GivenFields | null | undefined, ordinal: number, id: Id | undefined): Promise<void> | undefined {
    return this.#add(ordinal, () => this.#builder.add(given, ordinal, id))
  }

  /** Checks the fields of a batch of `count` vectors. Takes one row of it at a time, and its ordinal. */
  rowsOf(
    fields: BatchFields | undefined,
    count: number,
  ): (row: number, ordinal: number, id: Id | undefined) => Promise<void> | undefined {
    const builder = this.#builder
    if (fields instanceof FieldRows) {
      if (fields.count !== count) throw new RangeError(`${fields.count} field rows for ${count} vectors`)
      return (row, ordinal) => this.#add(ordinal, () => builder.addEncoded(fields.row(row)))
    }
    const columns = this.#codec.columnsOf(fields ?? {}, count)
    return (row, ordinal, id) => this.#add(ordinal, () => builder.addRow(columns, row, ordinal, id))
  }

  /** Resolves when all rows so far are in the queue. */
  async flush(): Promise<void> {
    await this.#drain()
    await this.#out.flush()
  }

  async finish(): Promise<CollectedFields> {
    await this.flush()
    return { fields: this.fields, records: this.#out.queues[0], totalBytes: this.#totalBytes }
  }

  #add(ordinal: number, encode: () => void): Promise<void> | undefined {
    if (this.#builder.count === 0) this.#first = ordinal
    try {
      encode()
    } catch (error) {
      if (!(error instanceof InvalidFieldError)) throw error
      this.#builder.addEncoded(NO_BYTES)
      this.#refuse(error, ordinal)
    }
    const isFull = this.#builder.count >= WAITING_ROWS || this.#builder.byteLength >= WAITING_BYTES
    return isFull ? this.#drain() : undefined
  }

  async #drain(): Promise<void> {
    const first = this.#first
    const { bytes, offsets, count } = this.#builder.take()
    for (let i = 0; i < count; i++) {
      const length = offsets[i + 1] - offsets[i]
      const end = RECORD_HEAD_BYTES + length
      if (this.#record.length < end) this.#record = Buffer.alloc(2 * end)
      this.#record.writeUInt32LE(first + i, 0)
      this.#record.writeUInt32LE(length, 4)
      copyBytes(this.#record, RECORD_HEAD_BYTES, bytes, offsets[i], offsets[i + 1])
      this.#totalBytes += length
      const pushed = this.#out.appendRecord(0, this.#record, 0, end)
      if (pushed !== undefined) await pushed
    }
  }
}

/** @throws InvalidOptionError when a record or batch has fields, and the build has no schema. `what` names it. */
export function assertNoFields(fields: unknown, what: string): void {
  if (fields === undefined || fields === null) return
  const names = typeof fields === 'object' ? Object.keys(fields).slice(0, 5) : []
  const example =
    names.length === 0 ? "{ title: 'text' }" : `{ ${names.map((name) => `${JSON.stringify(name)}: …`).join(', ')} }`
  throw new InvalidOptionError(`${what} has fields, and the build does not know their types: pass fields: ${example}`)
}
