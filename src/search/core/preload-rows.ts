/** Reads all rows ahead: several files at once, so that reading one overlaps with the checksums of another. */
import { join } from 'node:path'
import PQueue from 'p-queue'
import { assertSafeLinks } from '../../format/graph/check-links.js'
import type { SafetyChecks } from '../../format/graph/check-upper.js'
import type { Manifest } from '../../format/generation/manifest.js'
import { readSegmentData } from '../../format/segment/read-segment-data.js'
import type { SegmentFile } from '../../format/segment/segment-file.js'
import type { CoreRows, RowKind } from './core-rows.js'

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
      const into = rows.rowsAt(file.kind, file.firstNode, file.count)
      await readRows(join(directory, file.name), file, manifest, into, checks)
    }),
  )
  rows.markComplete()
}

async function readRows(
  path: string,
  file: SegmentFile & { readonly kind: RowKind },
  { m, count }: Manifest,
  into: Uint8Array,
  { firstUnsafeRow }: SafetyChecks,
): Promise<void> {
  const { firstNode, kind } = file
  await readSegmentData(path, file, (offset, length) => into.subarray(offset, offset + length))
  if (kind === 'links') assertSafeLinks(into, { path, segmentStart: firstNode, firstNode, m, count }, firstUnsafeRow)
}
