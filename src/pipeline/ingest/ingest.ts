import { setTimeout as sleep } from 'node:timers/promises'
import { Kernel } from '../../../kernel/kernel.js'
import type { Queue } from '../../../spill/queue.js'
import {
  AbortedError,
  DimensionMismatchError,
  EmptySourceError,
  InvalidOptionError,
  InvalidVectorError,
  ShardloomError,
  SourceError,
  StalledError,
} from '../../errors.js'
import type { ResumableSource, SourceItem, VectorBatch, VectorSource } from '../../api/vectors.js'
import { openDurableQueue, openQueue, throwIfAborted, type BuildContext } from '../run/build-context.js'
import { IdCollector } from './id-collector.js'
import { columnBatchBytes, type ColumnHeader } from '../../rows/record-layout.js'
import { IngestCheckpoints } from './ingest-checkpoints.js'
import { recoverIngest, replayIds, replayRows, type RecoveredIngest } from './recover-ingest.js'
import { ReservoirSample, type Sample } from './reservoir-sample.js'
import { MAX_DIMENSIONS } from '../../options/limits.js'
import { dropRepeatedIds, type SettledIds } from './drop-repeated-ids.js'
import { SourceWait } from './source-wait.js'

export interface Ingested {
  readonly queue: Queue<ColumnHeader>
  readonly dimensions: number
  /** Records the source gave; ordinals are below this. */
  readonly ordinalCount: number
  /** Vectors that will be in the index: those in the queue without the dropped ones. */
  readonly count: number
  readonly skippedInvalid: number
  /** Largest squared norm: ip's R². */
  readonly maxSquaredNorm: number
  /** The sample, once: it is large, and only leaders and scale need it. */
  readonly takeSample: () => Sample
  readonly ids: SettledIds
}

/** What of it outlives its queue. */
export type IngestedFacts = Omit<Ingested, 'queue' | 'takeSample'>

/**
 * Pulls the stream with backpressure, validates, normalises for cosine, keeps a sample, pushes batches, and at the end
 * settles repeated ids. Nothing is routed yet: streams are often sorted by topic, so their first part is no sample.
 *
 * A build that can be resumed writes rows and ids to files behind the stream, and goes on behind those of an interrupted
 * one.
 */
export async function ingest(context: BuildContext, source: ResumableSource): Promise<Ingested> {
  const recovered = await recoverIngest(context)
  const ids = new IdCollector(context, recovered?.ids)
  let writer: RowWriter | undefined
  let ordinal = recovered?.entry.ordinals ?? 0
  if (recovered !== undefined) {
    writer = new RowWriter(context, ids, recovered.entry.dimensions, recovered)
    await writer.replay(recovered)
  }
  try {
    const rest = recovered?.entry.ended === true ? [] : source(ordinal)
    for await (const item of guarded(rest, () => ordinal, new SourceWait(context, () => ordinal))) {
      writer ??= new RowWriter(context, ids, firstDimensions(context, item))
      ordinal = isBatch(item, ordinal) ? await writer.addBatch(item, ordinal) : await writer.addRecord(item, ordinal)
      throwIfAborted(context)
      await writer.checkpointWhenDue(ordinal)
      const relief = context.memory.relief()
      if (relief !== undefined) await relief
      context.log.progress(ordinal, context.options.count, 'vectors')
    }
    const ingested = await writer?.finish(ordinal)
    if (ingested === undefined || ingested.count === 0) throw new EmptySourceError(ingested?.skippedInvalid)
    context.log.progress(ordinal, ordinal, 'vectors')
    return ingested
  } catch (error) {
    const sourceFailed = error instanceof SourceError || error instanceof StalledError
    // Rows that wait for validation may hold the earlier, and so the better, error.
    if (sourceFailed) await writer?.flush()
    if (sourceFailed || error instanceof AbortedError) await writer?.lastCheckpoint(ordinal)
    throw error
  }
}

/**
 * Passes items through; an error of the source is told apart from our own by being wrapped (ours pass unchanged). An
 * abort ends the wait for a source that gives nothing.
 */
async function* guarded(source: VectorSource, ordinal: () => number, wait: SourceWait): AsyncGenerator<SourceItem> {
  const iterator = iteratorOf(source)
  let ended = false
  try {
    for (;;) {
      let step: IteratorResult<SourceItem>
      try {
        step = await wait.for(iterator.next())
      } catch (error) {
        ended = !wait.givenUp && !(error instanceof AbortedError)
        throw error instanceof ShardloomError ? error : new SourceError(ordinal(), error)
      }
      if (step.done === true) {
        ended = true
        return
      }
      yield step.value
    }
  } finally {
    wait.close()
    // The build ended first: let the source close its files. One that did not answer cannot be waited for, and what it
    // may still say interests nobody.
    const closing = ended ? undefined : Promise.resolve(iterator.return?.())
    if (wait.givenUp) closing?.catch(() => undefined)
    else await closing
  }
}

function iteratorOf(source: VectorSource): AsyncIterator<SourceItem> | Iterator<SourceItem> {
  const given: unknown = source
  if (typeof given === 'object' && given !== null && !ArrayBuffer.isView(given)) {
    if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]()
    if (Symbol.iterator in source) return source[Symbol.iterator]()
  }
  throw new InvalidOptionError(
    `source must be a sync or async iterable of { id?, vector } records or { ids?, vectors, dimensions } batches, ` +
      `or a function that gives one from an ordinal on`,
  )
}

/** Tells batches from records, and refuses what is neither: sources come from untyped programs too. */
function isBatch(item: unknown, ordinal: number): item is VectorBatch {
  if (typeof item !== 'object' || item === null) throw notAnItem(ordinal)
  if (!('vectors' in item)) return false
  if (!(item.vectors instanceof Float32Array) || !('dimensions' in item)) throw notAnItem(ordinal)
  return true
}

function notAnItem(ordinal: number): InvalidVectorError {
  return new InvalidVectorError({
    ordinal,
    reason:
      'is not an array of numbers: a record is { id?, vector }, a batch is { ids?, vectors: Float32Array, dimensions }',
    invalidOption: false,
  })
}

function firstDimensions(context: BuildContext, item: SourceItem): number {
  const { dimensions } = context.options
  const got = isBatch(item, 0) ? item.dimensions : vectorLength(item, 0)
  if (!(Number.isInteger(got) && got >= 1 && got <= MAX_DIMENSIONS)) {
    throw new InvalidVectorError({
      ordinal: 0,
      reason: `has ${got} dimensions; 1 to ${MAX_DIMENSIONS} can be indexed`,
      invalidOption: false,
    })
  }
  return dimensions ?? got
}

/** A plain array may hold anything: what is no number would quietly become 0 or NaN as float32. */
function vectorLength(item: SourceItem, ordinal: number): number {
  const vector: unknown = 'vector' in item ? item.vector : undefined
  if (Array.isArray(vector)) {
    if (!vector.every((component) => typeof component === 'number')) throw notAnItem(ordinal)
    return vector.length
  }
  const isTyped = ArrayBuffer.isView(vector) && 'length' in vector
  if (!isTyped || vector instanceof BigInt64Array || vector instanceof BigUint64Array) throw notAnItem(ordinal)
  return (vector as Float32Array).length
}

const LAST_CHECKPOINT_MS = 1000

/** Fills one batch of rows at a time in kernel memory, checks it there, and pushes it as ordinal and row columns. */
class RowWriter {
  readonly #context: BuildContext
  readonly #ids: IdCollector
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

  constructor(context: BuildContext, ids: IdCollector, dimensions: number, recovered?: RecoveredIngest) {
    this.#context = context
    this.#ids = ids
    this.#dimensions = dimensions
    const durable = openDurableQueue<ColumnHeader>(context, 'ingest', recovered?.rows.files)
    this.#queue = durable ?? openQueue(context, 'ingest')
    if (context.resume !== undefined && durable !== undefined && ids.durableQueue !== undefined) {
      this.#checkpoints = new IngestCheckpoints(context.resume.journal, context.paths, durable, ids.durableQueue)
    }
    this.#skippedInvalid = recovered?.entry.skippedInvalid ?? 0
    this.#maxSquaredNorm = recovered?.entry.maxSquaredNorm ?? 0
    const { seed } = context.options
    this.#sample = new ReservoirSample({ dimensions, seed })
    this.#capacity = Math.max(1, Math.floor(context.batchBytes / columnBatchBytes(1, 4 * dimensions)))
    this.#rowsAt = this.#kernel.alloc(this.#capacity * dimensions * 4)
    this.#normsAt = this.#kernel.alloc(this.#capacity * 8)
    this.#ordinals = new Uint32Array(this.#capacity)
  }

  /** What follows from rows and ids that are in the queues already. */
  async replay(recovered: RecoveredIngest): Promise<void> {
    const context = this.#context
    await replayRows(context, recovered, this.#dimensions, {
      row: (ordinal, rows, at) => this.#sample.offer(ordinal, rows, at),
      batch: (count) => {
        this.#vectorCount += count
      },
      dropped: (ordinal) => this.#ids.drop(ordinal),
    })
    await replayIds(context, recovered, this.#ids)
  }

  async checkpointWhenDue(ordinal: number): Promise<void> {
    if (this.#checkpoints?.isDue(4 * this.#dimensions * ordinal) === true) await this.#note(ordinal, false)
  }

  /** Everything before `ordinal` is in files and in the journal. */
  async checkpoint(ordinal: number, ended = false): Promise<void> {
    if (this.#checkpoints === undefined) return
    await this.#note(ordinal, ended)
    await this.#checkpoints.written()
  }

  /** Whoever stops a build does not wait for a slow disk: what is not in files in time is read again. */
  async lastCheckpoint(ordinal: number): Promise<void> {
    const patience = new AbortController()
    const waited = sleep(LAST_CHECKPOINT_MS, undefined, { signal: patience.signal }).catch(() => undefined)
    // What stopped the build is what it ends with: why this could not be kept is an event.
    const kept = this.checkpoint(ordinal).catch((error: unknown) =>
      this.#context.log.event('checkpoint-failed', `what was read last is not kept: ${String(error)}`),
    )
    try {
      await Promise.race([kept, waited])
    } finally {
      patience.abort()
      await waited
    }
  }

  /** Rows and ids up to here go to the queues; the entry follows when they are in the files. */
  async #note(ordinal: number, ended: boolean): Promise<void> {
    await this.flush()
    await this.#ids.flush()
    this.#checkpoints?.note({
      ordinals: ordinal,
      dimensions: this.#dimensions,
      idsGiven: this.#ids.given,
      skippedInvalid: this.#skippedInvalid,
      maxSquaredNorm: this.#maxSquaredNorm,
      ended,
    })
  }

  /** Both return the next ordinal. */
  async addRecord(item: SourceItem, ordinal: number): Promise<number> {
    const got = vectorLength(item, ordinal)
    const id = 'id' in item ? item.id : undefined
    if (got !== this.#dimensions) {
      await this.flush()
      throw new DimensionMismatchError({ ordinal, ...(id !== undefined && { id }), expected: this.#dimensions, got })
    }
    const idPushed = this.#ids.add(id, ordinal)
    if (idPushed !== undefined) await idPushed
    if ('vector' in item) this.#rows().set(item.vector, this.#used * this.#dimensions)
    this.#ordinals[this.#used++] = ordinal
    if (this.#used === this.#capacity) await this.flush()
    return ordinal + 1
  }

  async addBatch(batch: VectorBatch, firstOrdinal: number): Promise<number> {
    const { vectors, dimensions, ids } = batch
    if (dimensions !== this.#dimensions) {
      await this.flush()
      const id = ids?.[0]
      throw new DimensionMismatchError({
        ordinal: firstOrdinal,
        ...(id !== undefined && { id }),
        expected: this.#dimensions,
        got: dimensions,
      })
    }
    const count = vectors.length / dimensions
    if (!Number.isInteger(count) || (ids !== undefined && ids.length !== count)) {
      throw new InvalidOptionError(
        `a batch at vector ${firstOrdinal} has ${vectors.length} numbers for ${dimensions} dimensions` +
          (ids === undefined ? '' : ` and ${ids.length} ids`),
      )
    }
    let taken = 0
    while (taken < count) {
      const run = Math.min(count - taken, this.#capacity - this.#used)
      const rows = vectors.subarray(taken * dimensions, (taken + run) * dimensions)
      this.#rows().set(rows, this.#used * dimensions)
      for (let i = 0; i < run; i++) {
        this.#ordinals[this.#used + i] = firstOrdinal + taken + i
        const idPushed = this.#ids.add(ids?.[taken + i], firstOrdinal + taken + i)
        if (idPushed !== undefined) await idPushed
      }
      this.#used += run
      taken += run
      if (this.#used === this.#capacity) await this.flush()
    }
    return firstOrdinal + count
  }

  /** Checks and pushes the rows that wait. */
  async flush(): Promise<void> {
    if (this.#used === 0) return
    const { metric } = this.#context.options
    const filled = this.#used
    this.#used = 0
    const dimensions = this.#dimensions
    this.#kernel.fn.prepareRows(this.#rowsAt, filled, dimensions, metric === 'cosine' ? 1 : 0, this.#normsAt)
    const norms = this.#kernel.f64(this.#normsAt, filled)
    const rows = this.#rows()
    let kept = 0
    for (let i = 0; i < filled; i++) {
      const reason = whyInvalid(norms[i], metric === 'cosine')
      if (reason !== undefined) {
        this.#refuse(this.#ordinals[i], reason)
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
    if (kept > 0) await this.#push(rows, kept)
  }

  async finish(ordinalCount: number): Promise<Ingested> {
    await this.flush()
    await this.checkpoint(ordinalCount, true)
    await this.#queue.close()
    const ids = await dropRepeatedIds(this.#context, await this.#ids.finish())
    return {
      queue: this.#queue,
      dimensions: this.#dimensions,
      ordinalCount,
      count: this.#vectorCount - ids.skippedDuplicates,
      skippedInvalid: this.#skippedInvalid,
      maxSquaredNorm: this.#maxSquaredNorm,
      takeSample: () => this.#sample.take(),
      ids,
    }
  }

  #rows(): Float32Array {
    return this.#kernel.f32(this.#rowsAt, this.#capacity * this.#dimensions)
  }

  #refuse(ordinal: number, reason: string): void {
    const id = this.#ids.recentId(ordinal)
    if (this.#context.options.invalid === 'error') {
      throw new InvalidVectorError({ ordinal, ...(id !== undefined && { id }), reason })
    }
    this.#skippedInvalid++
    this.#ids.drop(ordinal)
    // The first few by name; the rest are in the count.
    if (this.#skippedInvalid <= 10) this.#context.log.event('skipped-invalid', `vector ${ordinal} ${reason}: skipped`)
  }

  async #push(rows: Float32Array, count: number): Promise<void> {
    const rowBytes = 4 * this.#dimensions
    const bytes = this.#context.buffers.acquire(columnBatchBytes(this.#capacity, rowBytes))
    new Uint32Array(bytes.buffer, bytes.byteOffset, count).set(this.#ordinals.subarray(0, count))
    bytes.set(new Uint8Array(rows.buffer, rows.byteOffset, count * rowBytes), 4 * this.#capacity)
    this.#vectorCount += count
    await this.#queue.push({ header: { capacity: this.#capacity }, count, bytes })
  }
}

/** Two such vectors are at most twice their norm apart: a squared distance of 3.2e38 is still a float32. */
const MAX_SQUARED_NORM = 8e37

/** Why a vector with this squared norm cannot be indexed; undefined when it can. */
export function whyInvalid(squaredNorm: number, cosine: boolean): string | undefined {
  if (!Number.isFinite(squaredNorm)) return 'has a component that is NaN or infinite'
  // Under cosine it has unit length by now.
  if (!cosine && squaredNorm > MAX_SQUARED_NORM) {
    return `has a squared norm of ${squaredNorm.toExponential(1)}: squared distances above 3.4e38 do not fit float32`
  }
  if (cosine && squaredNorm === 0) return 'is all zeros, which has no direction under cosine'
  return undefined
}
