/** Reads all rows ahead: several files at once, so that the device and the checksums of one do not wait for the other. */
import { join } from 'node:path'
import PQueue from 'p-queue'
import { assertSafeLinks } from '../../format/graph/check-links.js'
import type { SafetyChecks } from '../../format/graph/check-upper.js'
import type { Manifest } from '../../format/generation/manifest.js'
import { readSegmentData } from '../../format/segment/segment-reader.js'
import type { SegmentFile } from '../../format/segment/segment-file.js'
import type { SearchCore } from './search-core.js'

const FILES_AT_ONCE = 4

/** Fills a core that has room for all rows. `checks` work on its memory. @throws CorruptIndexError */
export async function preloadRows(
  directory: string,
  manifest: Manifest,
  core: SearchCore,
  checks: SafetyChecks,
): Promise<void> {
  const queue = new PQueue({ concurrency: FILES_AT_ONCE })
  const files = manifest.segments.filter(({ kind }) => kind === 'vectors' || kind === 'links' || kind === 'codes')
  await queue.addAll(files.map((file) => () => readRows(join(directory, file.name), file, manifest, core, checks)))
  core.markComplete()
}

async function readRows(
  path: string,
  file: SegmentFile,
  { m, count: nodes }: Manifest,
  core: SearchCore,
  { firstUnsafeRow }: SafetyChecks,
): Promise<void> {
  const { firstNode, count, kind } = file
  const rows =
    kind === 'vectors'
      ? core.vectorsAt(firstNode, count)
      : kind === 'codes'
        ? core.codesAt(firstNode, count)
        : core.linksAt(firstNode, count)
  await readSegmentData(path, file, (offset, length) => rows.subarray(offset, offset + length))
  if (kind === 'links')
    assertSafeLinks(rows, { path, segmentStart: firstNode, firstNode, m, count: nodes }, firstUnsafeRow)
}
