import { readBatches } from '../../../spill/read-batches.js'
import type { Queue } from '../../../spill/queue.js'
import { DuplicateIdError } from '../../errors.js'
import type { Id } from '../../api/vectors.js'
import { ID_RECORD_BYTES, hasBit, withBit, type CollectedIds, ID_PARTITION_BITS } from './id-collector.js'
import type { BuildSizes } from '../../plan/stage-memory.js'
import type { Uses } from '../run/run.js'
import type { Queues } from '../run/queues.js'
import { throwIfAborted } from '../run/run.js'
import { decodeIdBytes } from '../../format/ids/encode-ids.js'
import { eachRecord } from '../segments/numbered-records.js'

/** The ids without the repeated ones, which stay under `duplicates: 'keep'`. */
export interface UniqueIds {
  readonly records: Queue<null>
  /**
   * Records in the format of the partitions, in ascending order of fingerprint over all of them. Only vectors that stay
   * have one.
   */
  readonly table: Queue<null>
  readonly totalIdBytes: number
  readonly dropped: Uint8Array | undefined
  readonly skippedDuplicates: number
  /** Different hashes in the id table, where ids may repeat: as many as ids, but for collisions in 64 bits. */
  readonly distinctIds?: number
}

/** Words of one record: three of fingerprint, one of ordinal. */
const WORDS = ID_RECORD_BYTES / 4

/**
 * Finds repeated ids, partition by partition, so that 50M ids need megabytes, not gigabytes. Applies `duplicates` to
 * them, and keeps the fingerprints sorted for the id table. Two ids count as equal when their 96-bit fingerprints are
 * equal: among 50M different ids, the odds that any two collide are 2 in 10^14.
 */
export async function dropRepeatedIds(
  run: Uses<'options' | 'queues' | 'log'>,
  collected: CollectedIds,
): Promise<UniqueIds> {
  const { queues, log } = run
  const { duplicates } = run.options
  const table = queues.open<null>('id-table')
  let dropped = collected.dropped
  let repeated = 0
  let distinct = 0
  let firstRepeat: { firstOrdinal: number; secondOrdinal: number } | undefined
  for (const partition of collected.partitions) {
    throwIfAborted(run)
    const records = await takeRecords(partition)
    await queues.dispose(partition)
    const order = sortedOrder(records)
    if (duplicates === 'keep') {
      const stays = order.filter((i) => !hasBit(dropped, records[i * WORDS + 3]))
      distinct += distinctHashes(records, stays)
      await pushRecords(queues, table, records, stays)
      continue
    }
    const kept = new Uint32Array(order.length)
    let keptCount = 0
    for (let from = 0; from < order.length;) {
      let to = from + 1
      while (to < order.length && sameKey(records, order[from], order[to])) to++
      if (to === from + 1) {
        // Nearly every id is unique, so this path allocates nothing.
        if (!hasBit(dropped, records[order[from] * WORDS + 3])) kept[keptCount++] = order[from]
        from = to
        continue
      }
      // Equal keys are in order of ordinal. Vectors skipped as invalid do not count as repeats.
      const group = Array.from(order.subarray(from, to)).filter((i) => !hasBit(dropped, records[i * WORDS + 3]))
      const stays = duplicates === 'last' ? group.length - 1 : 0
      group.forEach((record, i) => {
        const ordinal = records[record * WORDS + 3]
        if (i === stays) {
          kept[keptCount++] = record
          return
        }
        repeated++
        dropped = withBit(dropped, ordinal)
        const secondOrdinal = records[group[1] * WORDS + 3]
        if (firstRepeat === undefined || secondOrdinal < firstRepeat.secondOrdinal) {
          firstRepeat = { firstOrdinal: records[group[0] * WORDS + 3], secondOrdinal }
        }
      })
      from = to
    }
    await pushRecords(queues, table, records, kept.subarray(0, keptCount))
  }
  await table.close()
  if (firstRepeat !== undefined && duplicates === 'error') {
    const id = await findId(collected.ids, firstRepeat.secondOrdinal)
    throw new DuplicateIdError({ id, ...firstRepeat, count: repeated })
  }
  if (repeated > 0) {
    log.event('duplicate-ids', `${repeated} vectors with repeated ids were left out (the ${duplicates} one stays)`)
  }
  return {
    records: collected.ids,
    table,
    totalIdBytes: collected.totalIdBytes,
    dropped,
    skippedDuplicates: repeated,
    ...(duplicates === 'keep' && { distinctIds: distinct }),
  }
}

/** A partition of ids at a time: its records, their keys, their order and those that stay. */
export function repeatedIdBytes({ count }: Pick<BuildSizes, 'count'>): number {
  return Math.ceil(count / 2 ** ID_PARTITION_BITS) * (ID_RECORD_BYTES + 16)
}

/** All records of one partition, in order of ordinal. */
async function takeRecords(partition: Queue<null>): Promise<Uint32Array> {
  const refs = await partition.handOff()
  let count = 0
  for (const ref of refs) count += ref.kind === 'memory' ? ref.batch.count : ref.count
  const records = new Uint32Array(count * WORDS)
  const bytes = new Uint8Array(records.buffer)
  let filled = 0
  for (const batch of readBatches(refs)) {
    bytes.set(batch.bytes, filled)
    filled += batch.bytes.length
  }
  await partition.release(refs)
  return records
}

/**
 * Indexes of the records, sorted by (fingerprint, ordinal). The index takes as many bits of a 64-bit key as it needs, the
 * first bits of the fingerprint take the others, and the native numeric sort orders the keys: with four million records 42
 * bits of fingerprint, with a billion 34. An insertion pass then orders the few records that agree in those bits.
 */
function sortedOrder(records: Uint32Array): Uint32Array {
  const count = records.length / WORDS
  const indexBits = Math.max(1, Math.ceil(Math.log2(count)))
  const indexMask = 2 ** indexBits - 1
  const keys = new BigUint64Array(count)
  const halves = new Uint32Array(keys.buffer)
  for (let i = 0; i < count; i++) {
    const high = records[i * WORDS]
    const low = records[i * WORDS + 1]
    // All records of a partition have its bits in common: shift them out.
    halves[2 * i + 1] = ((high << ID_PARTITION_BITS) | (low >>> (32 - ID_PARTITION_BITS))) >>> 0
    halves[2 * i] = (((low << ID_PARTITION_BITS) & ~indexMask) | i) >>> 0
  }
  keys.sort()
  const order = new Uint32Array(count)
  for (let i = 0; i < count; i++) {
    const record = (halves[2 * i] & indexMask) >>> 0
    let at = i
    while (at > 0 && compareRecords(records, order[at - 1], record) > 0) {
      order[at] = order[at - 1]
      at--
    }
    order[at] = record
  }
  return order
}

function compareRecords(records: Uint32Array, a: number, b: number): number {
  for (let word = 0; word < WORDS; word++) {
    const difference = records[a * WORDS + word] - records[b * WORDS + word]
    if (difference !== 0) return difference
  }
  return 0
}

function sameKey(records: Uint32Array, a: number, b: number): boolean {
  for (let word = 0; word < WORDS - 1; word++) if (records[a * WORDS + word] !== records[b * WORDS + word]) return false
  return true
}

/** `order`: records by their fingerprints. */
function distinctHashes(records: Uint32Array, order: Uint32Array): number {
  let distinct = 0
  for (let i = 0; i < order.length; i++) {
    const [at, before] = [order[i] * WORDS, i === 0 ? -1 : order[i - 1] * WORDS]
    if (i === 0 || records[at] !== records[before] || records[at + 1] !== records[before + 1]) distinct++
  }
  return distinct
}

async function pushRecords(
  { buffers, batchBytes }: Queues,
  table: Queue<null>,
  records: Uint32Array,
  kept: Uint32Array,
): Promise<void> {
  const perBatch = Math.floor(batchBytes / ID_RECORD_BYTES)
  for (let from = 0; from < kept.length; from += perBatch) {
    const count = Math.min(perBatch, kept.length - from)
    const bytes = buffers.acquire(perBatch * ID_RECORD_BYTES).subarray(0, count * ID_RECORD_BYTES)
    const words = new Uint32Array(bytes.buffer, bytes.byteOffset, count * WORDS)
    for (let i = 0; i < count; i++) {
      const record = kept[from + i] * WORDS
      for (let word = 0; word < WORDS; word++) words[i * WORDS + word] = records[record + word]
    }
    await table.push({ header: null, count, bytes })
  }
}

/** Reads the encoded ids up to `ordinal`. Only used to report an error. */
async function findId(ids: Queue<null>, ordinal: number): Promise<Id> {
  let found: Id | undefined
  for await (const { bytes } of ids) {
    eachRecord(bytes, (of, from, to) => {
      if (of === ordinal) found = decodeIdBytes(Buffer.from(bytes.slice(from, to)), `id of vector ${ordinal}`, 'build')
    })
    if (found !== undefined) return found
  }
  throw new Error(`the id of vector ${ordinal} was not kept`)
}
