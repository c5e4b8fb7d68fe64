import { setTimeout as sleep } from 'node:timers/promises'
import type { Uses } from '../run/run.js'
import type { IdCollector } from './id-collector.js'
import type { Queue } from '../../../spill/queue.js'
import type { ColumnHeader } from '../../rows/record-layout.js'
import { ReservoirSample } from './reservoir-sample.js'
import { Kernel } from '../../../kernel/kernel.js'
import { IngestCheckpoints } from './ingest-checkpoints.js'
import type { RecoveredIngest } from './recover-ingest.js'
import { columnBatchBytes } from '../../rows/record-layout.js'
import { replayFields, replayIds, replayRows } from './recover-ingest.js'
import { storedId } from '../../api/integer-id.js'
import type { GivenBatch, SourceItem } from '../../api/vectors.js'
import { rowsOfBatch, vectorOf } from './source-item.js'
import { DimensionMismatchError, InvalidVectorError, type InvalidFieldError } from '../../errors.js'
import { whyFieldsRefused, whyInvalid, whyTooShort } from './why-invalid.js'
import { dropRepeatedIds } from './drop-repeated-ids.js'
import { assertNoFields, FieldCollector } from './field-collector.js'
import type { Ingested } from './ingested.js'

/** The parts of a run that ingest uses. */
export type IngestRun = Uses<'options' | 'paths' | 'log' | 'queues' | 'resume'>

const LAST_CHECKPOINT_MS = 1000

/** Fills one batch of rows at a time in kernel memory, checks it there, and pushes it as ordinal and row columns. */
export class RowWriter {
  readonly #run: IngestRun
  readonly #ids: IdCollector
  readonly #fields: FieldCollector | undefined
  /** Fields of rows of the open batch that break the schema, by ordinal: rows are refused in their order. */
  readonly #badFields = new Map<number, InvalidFieldError>()
  readonly #dimensions: number
  readonly #queue: Queue<ColumnHeader>
  readonly #sample: ReservoirSample
  readonly #kernel = Kernel.create()
  readonly #capacity: number
  readonly #rowsAt: number
  readonly #normsAt: number
  readonly #ordinals: Uint32Array
  readonly #checkpoints: IngestCheckpoints | undefined
  #used = 0
  #vectorCount = 0
  #skippedInvalid = 0
  #maxSquaredNorm = 0

  constructor(run: IngestRun, ids: IdCollector, dimensions: number, recovered?: RecoveredIngest) {
    const { options, paths, queues, resume } = run
    this.#run = run
    this.#ids = ids
    this.#dimensions = dimensions
    const durable = queues.openDurable<ColumnHeader>('ingest', recovered?.rows.files)
    this.#queue = durable ?? queues.open('ingest')
    if (options.fields !== undefined) {
      const refuse = (error: InvalidFieldError, ordinal: number): unknown => this.#badFields.set(ordinal, error)
      this.#fields = new FieldCollector(run, options.fields, refuse, recovered?.fields?.files)
    }
    if (resume !== undefined && durable !== undefined && ids.durableQueue !== undefined) {
      const files = { rows: durable, ids: ids.durableQueue, fields: this.#fields?.durableQueue }
      this.#checkpoints = new IngestCheckpoints(resume.journal, paths, files)
    }
    this.#skippedInvalid = recovered?.entry.skippedInvalid ?? 0
    this.#maxSquaredNorm = recovered?.entry.maxSquaredNorm ?? 0
    this.#sample = new ReservoirSample({ dimensions, seed: options.seed })
    this.#capacity = Math.max(1, Math.floor(queues.batchBytes / columnBatchBytes(1, 4 * dimensions)))
    this.#rowsAt = this.#kernel.alloc(this.#capacity * dimensions * 4)
    this.#normsAt = this.#kernel.alloc(this.#capacity * 8)
    this.#ordinals = new Uint32Array(this.#capacity)
  }

  /** Rebuilds the state that follows from rows, ids and fields already in the queues. */
  async replay(recovered: RecoveredIngest): Promise<void> {
    await replayRows(this.#run, recovered, this.#dimensions, {
      row: (ordinal, rows, at) => this.#sample.offer(ordinal, rows, at),
      batch: (count) => {
        this.#vectorCount += count
      },
      dropped: (ordinal) => this.#ids.drop(ordinal),
    })
    await replayIds(this.#run, recovered, this.#ids)
    if (this.#fields !== undefined) await replayFields(this.#run, recovered, this.#fields)
  }

  async checkpointWhenDue(ordinal: number): Promise<void> {
    const bytes = 4 * this.#dimensions * ordinal + (this.#fields?.totalBytes ?? 0)
    if (this.#checkpoints?.isDue(bytes) === true) await this.#note(ordinal, false)
  }

  /** Resolves when everything before `ordinal` is in files and in the journal. */
  async checkpoint(ordinal: number, ended = false): Promise<void> {
    if (this.#checkpoints === undefined) return
    await this.#note(ordinal, ended)
    await this.#checkpoints.written()
  }

  /**
   * Like `checkpoint`, but does not wait for a slow disk, because the build is stopped. The next build reads again what
   * is not in files in time.
   */
  async lastCheckpoint(ordinal: number): Promise<void> {
    const patience = new AbortController()
    const waited = sleep(LAST_CHECKPOINT_MS, undefined, { signal: patience.signal }).catch(() => undefined)
    // The build ends with the error that stopped it, so a failed checkpoint is only an event.
    const kept = this.checkpoint(ordinal).catch((error: unknown) =>
      this.#run.log.event('checkpoint-failed', `what was read last is not kept: ${String(error)}`),
    )
    try {
      await Promise.race([kept, waited])
    } finally {
      patience.abort()
      await waited
    }
  }

  /** Pushes rows, ids and fields up to here to the queues. The entry follows when they are in the files. */
  async #note(ordinal: number, ended: boolean): Promise<void> {
    await this.flush()
    await this.#ids.flush()
    await this.#fields?.flush()
    this.#checkpoints?.note({
      ordinals: ordinal,
      dimensions: this.#dimensions,
      idsGiven: this.#ids.given,
      skippedInvalid: this.#skippedInvalid,
      maxSquaredNorm: this.#maxSquaredNorm,
      ended,
    })
  }

  /** `addRecord` and `addBatch` return the next ordinal. */
  async addRecord(item: SourceItem, ordinal: number): Promise<number> {
    const vector = vectorOf(item, ordinal, this.#dimensions)
    const given = 'id' in item ? item.id : undefined
    const id = given === undefined ? undefined : storedId(given)
    const got = vector.length
    if (got !== this.#dimensions) {
      await this.flush()
      throw new DimensionMismatchError({ ordinal, ...(id !== undefined && { id }), expected: this.#dimensions, got })
    }
    const idPushed = this.#ids.add(id, ordinal)
    if (idPushed !== undefined) await idPushed
    const fields = 'fields' in item ? item.fields : undefined
    if (this.#fields === undefined) assertNoFields(fields, `record ${ordinal}`)
    else {
      const pushed = this.#fields.addRecord(fields, ordinal, id)
      if (pushed !== undefined) await pushed
    }
    this.#rows().set(vector, this.#used * this.#dimensions)
    this.#ordinals[this.#used++] = ordinal
    if (this.#isFlushDue()) await this.flush()
    return ordinal + 1
  }

  async addBatch(batch: GivenBatch, firstOrdinal: number): Promise<number> {
    const { vectors, dimensions, ids } = batch
    if (dimensions !== this.#dimensions) {
      await this.flush()
      const id = ids?.[0] === undefined ? undefined : storedId(ids[0])
      throw new DimensionMismatchError({
        ordinal: firstOrdinal,
        ...(id !== undefined && { id }),
        expected: this.#dimensions,
        got: dimensions,
      })
    }
    const count = rowsOfBatch(batch, firstOrdinal)
    const fieldsOf = this.#fieldsOf(batch, count, firstOrdinal)
    let taken = 0
    while (taken < count) {
      const run = Math.min(count - taken, this.#capacity - this.#used)
      const rows = vectors.subarray(taken * dimensions, (taken + run) * dimensions)
      this.#rows().set(rows, this.#used * dimensions)
      for (let i = 0; i < run; i++) {
        this.#ordinals[this.#used + i] = firstOrdinal + taken + i
        const given = ids?.[taken + i]
        const id = typeof given === 'bigint' ? storedId(given) : given
        const idPushed = this.#ids.add(id, firstOrdinal + taken + i)
        if (idPushed !== undefined) await idPushed
        const fieldsPushed = fieldsOf?.(taken + i, firstOrdinal + taken + i, id)
        if (fieldsPushed !== undefined) await fieldsPushed
      }
      this.#used += run
      taken += run
      if (this.#isFlushDue()) await this.flush()
    }
    return firstOrdinal + count
  }

  /** Takes the fields of one row of the batch; undefined in a build without fields. */
  #fieldsOf(
    { fields }: GivenBatch,
    count: number,
    firstOrdinal: number,
  ): ReturnType<FieldCollector['rowsOf']> | undefined {
    if (this.#fields === undefined) assertNoFields(fields, `the batch at vector ${firstOrdinal}`)
    return this.#fields?.rowsOf(fields ?? undefined, count)
  }

  /** Bad fields end the build at once, unless they are skipped. */
  #isFlushDue(): boolean {
    return this.#used === this.#capacity || (this.#badFields.size > 0 && this.#run.options.invalid === 'error')
  }

  /** Checks and pushes the rows of the open batch. */
  async flush(): Promise<void> {
    if (this.#used === 0) return
    const { metric } = this.#run.options
    const filled = this.#used
    this.#used = 0
    const dimensions = this.#dimensions
    this.#kernel.fn.prepareRows(this.#rowsAt, filled, dimensions, metric === 'cosine' ? 1 : 0, this.#normsAt)
    const norms = this.#kernel.f64(this.#normsAt, filled)
    const rows = this.#rows()
    let kept = 0
    for (let i = 0; i < filled; i++) {
      const why = whyInvalid(norms[i], metric === 'cosine') ?? this.#badFields.get(this.#ordinals[i])
      if (why !== undefined) {
        this.#refuse(this.#ordinals[i], why)
        continue
      }
      this.#maxSquaredNorm = Math.max(this.#maxSquaredNorm, norms[i])
      this.#sample.offer(this.#ordinals[i], rows, i * dimensions)
      if (kept !== i) {
        rows.copyWithin(kept * dimensions, i * dimensions, (i + 1) * dimensions)
        this.#ordinals[kept] = this.#ordinals[i]
      }
      kept++
    }
    this.#badFields.clear()
    if (kept > 0) await this.#push(rows, kept)
  }

  async finish(ordinalCount: number): Promise<Ingested> {
    await this.flush()
    const reason = whyTooShort(this.#maxSquaredNorm, this.#run.options.metric === 'cosine')
    if (reason !== undefined) throw new InvalidVectorError({ ordinal: 0, reason, invalidOption: false })
    await this.checkpoint(ordinalCount, true)
    await this.#queue.close()
    const fields = await this.#fields?.finish()
    const ids = await dropRepeatedIds(this.#run, await this.#ids.finish())
    return {
      queue: this.#queue,
      dimensions: this.#dimensions,
      ordinalCount,
      count: this.#vectorCount - ids.skippedDuplicates,
      skippedInvalid: this.#skippedInvalid,
      maxSquaredNorm: this.#maxSquaredNorm,
      takeSample: () => this.#sample.take(),
      ids,
      ...(fields !== undefined && { fields }),
    }
  }

  #rows(): Float32Array {
    return this.#kernel.f32(this.#rowsAt, this.#capacity * this.#dimensions)
  }

  #refuse(ordinal: number, why: string | InvalidFieldError): void {
    if (this.#run.options.invalid === 'error') {
      if (typeof why !== 'string') throw why
      const id = this.#ids.recentId(ordinal)
      throw new InvalidVectorError({ ordinal, ...(id !== undefined && { id }), reason: why })
    }
    const reason = typeof why === 'string' ? why : whyFieldsRefused(why)
    this.#skippedInvalid++
    this.#ids.drop(ordinal)
    // Only the first few get an event each; the count includes all.
    if (this.#skippedInvalid <= 10) this.#run.log.event('skipped-invalid', `vector ${ordinal} ${reason}: skipped`)
  }

  async #push(rows: Float32Array, count: number): Promise<void> {
    const rowBytes = 4 * this.#dimensions
    const bytes = this.#run.queues.buffers.acquire(columnBatchBytes(this.#capacity, rowBytes))
    new Uint32Array(bytes.buffer, bytes.byteOffset, count).set(this.#ordinals.subarray(0, count))
    bytes.set(new Uint8Array(rows.buffer, rows.byteOffset, count * rowBytes), 4 * this.#capacity)
    this.#vectorCount += count
    await this.#queue.push({ header: { capacity: this.#capacity }, count, bytes })
  }
}
