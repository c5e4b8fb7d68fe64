import type { CompactOptions, LiveFacts, Written } from '../api/live.js'
import type { FieldSchema } from '../api/fields.js'
import { storedId } from '../api/integer-id.js'
import type { BuildReport } from '../api/report.js'
import type { GivenBatch, GivenId, Id, VectorRecord, VectorSource } from '../api/vectors.js'
import { InvalidIdError, InvalidOptionError } from '../errors.js'
import type { FieldRows } from '../fields/field-rows.js'
import { assertId } from '../format/ids/encode-ids.js'
import { frameRanges } from '../format/live/frame-ranges.js'
import { checkOptions } from '../options/check-options.js'
import { compactOptionsSchema } from '../options/live-options.js'
import { kindOf } from '../wording/value-kind.js'
import { isBatch } from '../pipeline/ingest/source-item.js'
import { VectorIndex } from '../search/vector-index.js'
import { LiveWriter, type WriterOptions } from './live-writer.js'
import type { LiveSettings } from '../format/live/parts-file.js'
import { runAll } from './run-all.js'
import { assertBatch, batchIds, givenId, pickRows, RowPreparer, type Rows } from './records/prepare-rows.js'
import { cutByIds, rowsToWrite, WrittenIds, type ChangeRoom } from './records/whole-ids.js'

const NOTHING = new Float32Array(0)

/** An index that is open for writing: `openIndex(path, { write: true })` or `createIndex` makes one. */
export class LiveIndex<OneId extends GivenId = Id, Schema extends FieldSchema = FieldSchema> extends VectorIndex<
  OneId,
  Schema
> {
  readonly #writer: LiveWriter
  readonly #rows: RowPreparer

  private constructor(writer: LiveWriter) {
    // A writer takes over what is newer by itself.
    super(writer.view, () => Promise.resolve(false))
    this.#writer = writer
    this.#rows = new RowPreparer(writer.settings)
  }

  /** @internal */
  static async open(path: string, options: WriterOptions, create?: LiveSettings): Promise<LiveIndex> {
    const writer = await LiveWriter.open(path, options, create)
    const index = new LiveIndex(writer)
    writer.onView = (view) => index.show(view)
    return index
  }

  /** What it holds besides its last build. */
  override get live(): LiveFacts {
    return this.#writer.facts
  }

  /**
   * Adds vectors, each in place of the one with its id. One record, one batch, or any iterable of both, which is read as
   * it is written. Where ids may repeat, all vectors of an id in one batch, or in records that follow each other, take
   * the place of all that it had. Resolves when all of it is found by searches, and as safe as `durability` says. What is
   * given in one record or batch is written whole or not at all, as far as it fits one part in memory.
   * @throws InvalidIdError, InvalidVectorError, DimensionMismatchError before anything of a batch is written;
   * DiskFullError, FileFailedError, LogFailedError, IndexClosedError
   */
  async upsert(given: VectorRecord | GivenBatch | VectorSource): Promise<Written> {
    const written: Writing = { count: 0, sequence: this.#writer.lastSequence, ids: this.#writtenIds() }
    const single = isSingle(given)
    let records: VectorRecord[] = []
    const { mostRows } = this.#writer
    // With one more it is known whether the last id has all its vectors.
    const heldRecords = written.ids === undefined ? mostRows : mostRows + 1
    for await (const item of single ? [given] : given) {
      const position = written.count + records.length
      if (isBatch(item, position)) {
        await this.#writeRecords(records, written)
        records = []
        await this.#writeBatch(item, written)
      } else {
        records.push(item)
        if (records.length < heldRecords) continue
        records = await this.#writeFullRecords(records, written)
      }
    }
    await this.#writeRecords(records, written)
    return { count: written.count, sequence: written.sequence }
  }

  /** Removes vectors by their ids; ids that it has not are left out. Resolves as `upsert` does. `count`: how many it had. */
  async delete(ids: Iterable<GivenId>): Promise<Written> {
    if (typeof ids !== 'object' || !(Symbol.iterator in ids)) {
      throw new InvalidOptionError(`delete takes an array or a Set of ids, got ${kindOf(ids)}: pass [id] for one`)
    }
    const stored = Array.from(new Set(Array.from(ids, storedId)))
    for (const id of stored) assertId(id)
    let [count, sequence] = [0, this.#writer.lastSequence]
    const { mostRows } = this.#writer
    for (const [from, to] of Array.from(frameRanges(stored, 0, mostRows))) {
      const change = { kind: 'delete', ids: stored.slice(from, to), vectors: NOTHING } as const
      const committed = await this.#writer.commit(change)
      count += committed.removed
      sequence = committed.sequence
    }
    return { count, sequence }
  }

  /** Seals what is in memory into a part. Resolves when all changes before the call are in sealed parts. */
  flush(): Promise<void> {
    return this.#writer.flush()
  }

  /**
   * Builds the next generation from the index itself, beside searches and changes, and takes it over. Changes that come
   * meanwhile stay on top. Undefined when nothing is in the index. When it is interrupted, the next call goes on.
   * @throws InvalidOptionError; what a build throws: the old generation then stays, with its changes
   */
  async compact(options: CompactOptions = {}): Promise<BuildReport | undefined> {
    return this.#writer.compact(checkOptions(compactOptionsSchema, options))
  }

  /** Waits for changes that are being written, ends what runs beside, and closes everything. */
  override async close(): Promise<void> {
    await runAll([() => this.#writer.close(), () => super.close()])
  }

  #writtenIds(): WrittenIds | undefined {
    return this.#writer.settings.repeatedIds === true ? new WrittenIds() : undefined
  }

  async #writeRecords(records: readonly VectorRecord[], written: Writing): Promise<void> {
    if (records.length === 0) return
    const rows = this.#rows.records(records, written.count)
    const cuts = written.ids === undefined ? [] : cutByIds(rows.ids, this.#room(rows.fields))
    if (cuts.length <= 1) await this.#write(rows, written)
    else for (const cut of cuts) await this.#write(pickRows(rows, cut), written)
  }

  /** Returns the records that are not written yet: those of an id that may go on. */
  async #writeFullRecords(records: VectorRecord[], written: Writing): Promise<VectorRecord[]> {
    const ids = written.ids && records.map(({ id }, at) => givenId(id, written.count + at))
    const count = ids === undefined ? records.length : rowsToWrite(ids)
    await this.#writeRecords(records.slice(0, count), written)
    return records.slice(count)
  }

  async #writeBatch(batch: GivenBatch, written: Writing): Promise<void> {
    const count = assertBatch(batch, this.#writer.dimensions, written.count)
    const { mostRows } = this.#writer
    const first = written.count
    if (written.ids !== undefined) {
      const ids = batchIds(batch, 0, count, first)
      const fields = this.#rows.fieldsOf(batch, ids, 0, first)
      for (const rows of cutByIds(ids, this.#room(fields))) {
        await this.#write(this.#rows.picked(batch, { ids, fields }, rows, first), written)
      }
      return
    }
    for (let from = 0; from < count; from += mostRows) {
      await this.#write(this.#rows.batch(batch, from, Math.min(count, from + mostRows), first), written)
    }
  }

  /** Of one change. */
  #room(fields: FieldRows | undefined): ChangeRoom {
    const { dimensions, mostRows: rows, mostBytes: bytes } = this.#writer
    return { rows, bytes, bytesOf: (row) => 4 * dimensions + (fields?.bytesOf(row) ?? 0) }
  }

  async #write({ ids, vectors, fields }: Rows, written: Writing): Promise<void> {
    const { dimensions } = this.#writer
    const { rows: mostRows, bytes, bytesOf } = this.#room(fields)
    written.ids?.assertNew(ids)
    // All of them first: an id that is too long is refused before anything is written. What must not be cut may be larger.
    const ranges = Array.from(frameRanges(ids, bytesOf, mostRows, written.ids === undefined ? bytes : undefined))
    if (written.ids !== undefined && ranges.length > 1) {
      throw new InvalidIdError(
        `${ids.length} vectors with such long ids or fields do not fit one change: give fewer at a time`,
      )
    }
    for (const [from, to] of ranges) {
      const { sequence } = await this.#writer.commit({
        kind: 'upsert',
        ids: ids.slice(from, to),
        vectors: vectors.subarray(from * dimensions, to * dimensions),
        ...(fields !== undefined && { fields: fields.slice(from, to) }),
      })
      written.count += to - from
      written.sequence = sequence
    }
    written.ids?.add(ids)
  }
}

interface Writing {
  count: number
  sequence: number
  /** Where ids may repeat. */
  readonly ids: WrittenIds | undefined
}

/** One record, or one batch. */
function isSingle(given: VectorRecord | GivenBatch | VectorSource): given is VectorRecord | GivenBatch {
  return typeof given === 'object' && ('vector' in given || 'vectors' in given)
}
