import type { CompactOptions, LiveFacts, Written } from '../api/live.js'
import { storedId } from '../api/integer-id.js'
import type { BuildReport } from '../api/report.js'
import type { GivenBatch, GivenId, Id, VectorRecord, VectorSource } from '../api/vectors.js'
import { InvalidOptionError } from '../errors.js'
import { assertId } from '../format/ids/encode-ids.js'
import { frameRanges } from '../format/live/frame-ranges.js'
import { kindOf } from '../value-kind.js'
import { VectorIndex } from '../search/vector-index.js'
import { LiveWriter, type WriterOptions } from './live-writer.js'
import type { LiveSettings } from '../format/live/parts-file.js'
import { runAll } from './run-all.js'
import { assertBatch, isBatchItem, RowPreparer, type Rows } from './prepare-rows.js'

const NOTHING = new Float32Array(0)

/** An index that is open for writing: `openIndex(path, { write: true })` or `createIndex` makes one. */
export class LiveIndex<OneId extends GivenId = Id> extends VectorIndex<OneId> {
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
  get live(): LiveFacts {
    return this.#writer.facts
  }

  /**
   * Adds vectors, each in place of the one with its id. One record, one batch, or any iterable of both, which is read as
   * it is written. Resolves when all of it is found by searches, and as safe as `durability` says. What is given in one
   * record or batch is written whole or not at all, as far as it fits one part in memory.
   * @throws InvalidIdError, InvalidVectorError, DimensionMismatchError before anything of a batch is written;
   * DiskFullError, FileFailedError, LogFailedError, IndexClosedError
   */
  async upsert(given: VectorRecord | GivenBatch | VectorSource): Promise<Written> {
    const written: Writing = { count: 0, sequence: this.#writer.lastSequence }
    const single = isSingle(given)
    let records: VectorRecord[] = []
    const { mostRows } = this.#writer
    for await (const item of single ? [given] : given) {
      const position = written.count + records.length
      if (isBatchItem(item, position)) {
        await this.#writeRecords(records, written)
        records = []
        await this.#writeBatch(item, written)
      } else {
        records.push(item)
        if (records.length < mostRows) continue
        await this.#writeRecords(records, written)
        records = []
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
   * @throws what a build throws: the old generation then stays, with its changes
   */
  compact(options: CompactOptions = {}): Promise<BuildReport | undefined> {
    return this.#writer.compact(options)
  }

  /** Waits for changes that are being written, ends what runs beside, and closes everything. */
  override async close(): Promise<void> {
    await runAll([() => this.#writer.close(), () => super.close()])
  }

  async #writeRecords(records: readonly VectorRecord[], written: Writing): Promise<void> {
    if (records.length > 0) await this.#write(this.#rows.records(records, written.count), written)
  }

  async #writeBatch(batch: GivenBatch, written: Writing): Promise<void> {
    const count = assertBatch(batch, this.#writer.dimensions, written.count)
    const { mostRows } = this.#writer
    const first = written.count
    for (let from = 0; from < count; from += mostRows) {
      await this.#write(this.#rows.batch(batch, from, Math.min(count, from + mostRows), first), written)
    }
  }

  async #write({ ids, vectors }: Rows, written: Writing): Promise<void> {
    const { dimensions, mostRows } = this.#writer
    // All of them first: an id that is too long is refused before anything is written.
    for (const [from, to] of Array.from(frameRanges(ids, 4 * dimensions, mostRows))) {
      const change = { ids: ids.slice(from, to), vectors: vectors.subarray(from * dimensions, to * dimensions) }
      const { sequence } = await this.#writer.commit({ kind: 'upsert', ...change })
      written.count += to - from
      written.sequence = sequence
    }
  }
}

interface Writing {
  count: number
  sequence: number
}

/** One record, or one batch. */
function isSingle(given: VectorRecord | GivenBatch | VectorSource): given is VectorRecord | GivenBatch {
  return typeof given === 'object' && ('vector' in given || 'vectors' in given)
}
