import type { Kernel } from '../../../kernel/kernel.js'
import { readBatches } from '../../../spill/read-batches.js'
import { recoverSpillFile } from '../../../spill/files/recover-spill-file.js'
import type { FileBatchRef } from '../../../spill/batch.js'
import { ShardloomError } from '../../errors.js'
import { partChecksums, partCrc, type PartChecksums } from '../../format/segment/segment-checksums.js'
import { readRows } from '../../rows/open-rows.js'
import { writeGrid, type GridStore } from '../../rows/grid-store.js'
import type { GridSpec } from '../../rows/grid-spec.js'
import { gridEncoder, gridOps } from '../../rows/grid-ops.js'
import type { ShardRows } from './shard-task.js'
import { systemErrorCode } from '../../runtime/realms.js'

/**
 * Checks what an interrupted build wrote of one shard or one links segment, and restores the state that follows from
 * it.
 */
export interface RestoreTask {
  /**
   * Bytes of a segment's data: `rows` of `strideBytes` from `firstNode` on, in the segment that begins at
   * `segmentStart`.
   */
  readonly part: {
    readonly path: string
    readonly segmentStart: number
    readonly firstNode: number
    readonly rows: number
    readonly strideBytes: number
    readonly crc: number
  }
  /** A shard's vectors are encoded again: that is cheaper than keeping their codes. */
  readonly grid: { readonly spec: GridSpec; readonly store: GridStore } | undefined
  /** A shard's graph rows. */
  readonly graphRows: { readonly path: string; readonly bytes: number } | undefined
}

/** Undefined when anything differs from what was written. */
export type RestoreResult = { readonly checksums: PartChecksums; readonly rows: readonly ShardRows[] } | undefined

export async function restoreCheckpoint(
  kernel: Kernel,
  { part, grid: codes, graphRows }: RestoreTask,
): Promise<RestoreResult> {
  try {
    const bytes = part.rows * part.strideBytes
    const at = kernel.alloc(bytes)
    readRows(
      { path: part.path, firstNode: part.segmentStart, count: part.rows },
      part.strideBytes,
      part.firstNode,
      kernel.u8(at, bytes),
    )
    const checksums = partChecksums((part.firstNode - part.segmentStart) * part.strideBytes, kernel.u8(at, bytes))
    if (partCrc(checksums) !== part.crc) return undefined
    const rows = graphRows === undefined ? [] : await readGraphRows(graphRows)
    if (rows === undefined) return undefined
    if (codes !== undefined) encode(kernel, at, part, codes)
    return { checksums, rows }
  } catch (error) {
    // The file is missing, short or damaged, so the unit is made again.
    if (error instanceof ShardloomError || systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function readGraphRows({ path, bytes }: { path: string; bytes: number }): Promise<ShardRows[] | undefined> {
  const recovered = await recoverSpillFile(path)
  if (recovered.bytes !== bytes) return undefined
  const rows: ShardRows[] = []
  const refs: readonly FileBatchRef[] = recovered.frames
  let index = 0
  for (const { header } of readBatches<number>(refs)) {
    const { offset, frameBytes, count } = refs[index++]
    rows.push({ segment: header, ref: { kind: 'file', path, offset, frameBytes, count } })
  }
  return rows
}

function encode(
  kernel: Kernel,
  vectors: number,
  { firstNode, rows }: RestoreTask['part'],
  { spec, store }: { spec: GridSpec; store: GridStore },
): void {
  const ops = gridOps(kernel, spec)
  const encoded = kernel.alloc(rows * ops.rowBytes)
  gridEncoder(kernel, spec)(vectors, rows, encoded)
  writeGrid(store, firstNode, kernel.u8(encoded, rows * ops.rowBytes))
}
