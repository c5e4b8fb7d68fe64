/** Reads all rows ahead: several files at once, so that reading one overlaps with the checksums of another. */
import { join } from 'node:path'
import PQueue from 'p-queue'
import { assertSafeLinks } from '../../format/graph/check-links.js'
import type { SafetyChecks } from '../../format/graph/check-upper.js'
import type { Manifest } from '../../format/generation/manifest.js'
import { readSegmentData } from '../../format/segment/segment-reader.js'
import type { SegmentFile } from '../../format/segment/segment-file.js'
import type { CoreRows } from './core-rows.js'
import { rowsShape, strideBytesOf, type RowKind } from './row-layout.js'

const FILES_AT_ONCE = 4

/** Fills rows that there is room for in memory. `checks` work on that memory. @throws CorruptIndexError */
export async function preloadRows(
  directory: string,
  manifest: Manifest,
  rows: CoreRows,
  checks: SafetyChecks,
): Promise<void> {
  const queue = new PQueue({ concurrency: FILES_AT_ONCE })
  const files = manifest.segments.flatMap((file) => {
    const { kind } = file
    return kind === 'vectors' || kind === 'links' || kind === 'codes' ? [{ ...file, kind }] : []
  })
  await queue.addAll(
    files.map((file) => async () => {
      for (const { node, bytes } of rows.piecesAt(file.kind, file.firstNode, file.count)) {
        await readRows(join(directory, file.name), file, manifest, node, bytes, checks)
      }
    }),
  )
  rows.markComplete()
}

/** Fills `into` with the rows of a file from `firstNode` on. */
async function readRows(
  path: string,
  file: SegmentFile & { readonly kind: RowKind },
  manifest: Manifest,
  firstNode: number,
  into: Uint8Array,
  { firstUnsafeRow }: SafetyChecks,
): Promise<void> {
  const { m, count } = manifest
  const offset = (firstNode - file.firstNode) * strideBytesOf(rowsShape(manifest))[file.kind]
  const { length } = into
  await readSegmentData(path, file, (at, bytes) => into.subarray(at - offset, at - offset + bytes), { offset, length })
  if (file.kind !== 'links') return
  assertSafeLinks(into, { path, segmentStart: file.firstNode, firstNode, m, count }, firstUnsafeRow)
}
