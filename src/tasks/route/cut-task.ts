import type { Kernel } from '../../../kernel/kernel.js'
import type { BatchRef } from '../../../spill/batch.js'
import type { GridSpec } from '../../rows/grid-spec.js'
import { rowBytesOf, type RowKind } from '../../rows/record-layout.js'
import { hashOrdinal, SALT_SPLIT } from '../../rows/hash-ordinal.js'
import { loadEncoded, sendRows } from './route-task.js'

/** Cuts some records of a shard into parts of equal size, when no distance divides it. */
export interface CutTask {
  readonly input: readonly BatchRef<null>[]
  readonly rowKind: RowKind
  readonly rowCount: number
  readonly spec: GridSpec
  readonly parts: number
  readonly seed: number
  /** The code that nearly all members have, if there is one. The other members then go into every part. */
  readonly mass: Uint8Array | undefined
  /** Room for a record and a code record of every row. */
  readonly output: Uint8Array
}

export interface CutResult {
  /**
   * `4 x parts` counts, in the order of the output: records of each part; nothing; bridges to each part; code records
   * of each part's others, which go to all other parts.
   */
  readonly counts: Uint32Array
  readonly outputBytes: number
}

/** One copy in BRIDGE_STEP also goes to a second part. */
const BRIDGE_STEP = 32

/**
 * The part of a member is a hash of its ordinal. Parts with only copies of one vector would be islands. Bridges (copies
 * in two parts) connect the parts with each other. The few members that are not copies, as replicas in every part,
 * connect them with the rest.
 */
export function cutRecords(kernel: Kernel, task: CutTask): CutResult {
  const { parts, seed, mass } = task
  const loaded = loadEncoded(kernel, { ...task, dropped: undefined })
  const codeBytes = rowBytesOf('grid', task.spec)
  const targets = kernel.alloc(8 * loaded.count)
  const nearest = kernel.u32(targets, 2 * loaded.count)
  const ordinals = kernel.u32(loaded.ordinals, loaded.count)
  const codes = kernel.u8(loaded.codes, loaded.count * codeBytes)
  for (let row = 0; row < loaded.count; row++) {
    const hash = hashOrdinal(seed, SALT_SPLIT, ordinals[row])
    const part = hash % parts
    nearest[2 * row] = part
    // A row without a second target repeats its part, which sends no second record.
    nearest[2 * row + 1] = part
    if (mass === undefined) continue
    const isCopy = Buffer.compare(codes.subarray(row * codeBytes, (row + 1) * codeBytes), mass) === 0
    if (!isCopy) nearest[2 * row + 1] = parts + part
    else {
      const bridge = hashOrdinal(~seed, SALT_SPLIT, ordinals[row])
      if (bridge % BRIDGE_STEP === 0) nearest[2 * row + 1] = Math.floor(bridge / BRIDGE_STEP) % parts
    }
  }
  return sendRows(kernel, task, loaded, { nearest: targets, overlap: 2, count: 2 * parts })
}
