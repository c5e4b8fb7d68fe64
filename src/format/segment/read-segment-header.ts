/** Reads a segment's header page and compares it with the manifest. */
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptIndexError } from '../../errors.js'
import { readFailure } from '../bytes/file-errors.js'
import { checkSize } from '../generation/check-file-sizes.js'
import type { Manifest } from '../generation/manifest.js'
import { SEGMENT_KINDS, type SegmentFile } from './segment-file.js'
import { decodeSegmentHeader, segmentFileBytes, SEGMENT_HEADER_BYTES, type SegmentHeader } from './segment-header.js'
import { readAt } from '../../../spill/files/read-at.js'

/**
 * The header of the segment that the manifest lists as `expected`. Reads one page and the file's size.
 * @throws CorruptIndexError when the file is missing, has another size, has a damaged header, or is another segment
 */
export async function readSegmentHeader(source: string | FileHandle, expected: SegmentFile): Promise<SegmentHeader> {
  if (typeof source !== 'string') return headerOf(source, expected, expected.name)
  try {
    const handle = await open(source, 'r')
    try {
      return await headerOf(handle, expected, source)
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw readFailure(source, error)
  }
}

/** `readSegmentHeader` for an open file; `path` names it in errors. */
export async function headerOf(handle: FileHandle, expected: SegmentFile, path: string): Promise<SegmentHeader> {
  checkSize(path, await handle.stat(), expected.bytes)
  const page = new Uint8Array(SEGMENT_HEADER_BYTES)
  const length = await readAt(handle, page, 0)
  const header = decodeSegmentHeader(page.subarray(0, length), path)
  checkSegmentHeader(header, expected, path)
  return header
}

/** @throws CorruptIndexError when the header does not match the manifest's entry */
export function checkSegmentHeader(header: SegmentHeader, expected: SegmentFile, path: string): void {
  for (const field of ['kind', 'firstNode', 'count'] as const) {
    if (header[field] !== expected[field]) {
      throw new CorruptIndexError(path, `the header's ${field} is ${header[field]}, the manifest's ${expected[field]}`)
    }
  }
  if (segmentFileBytes(header.dataBytes) !== expected.bytes) {
    const { dataBytes } = header
    throw new CorruptIndexError(path, `a file with ${dataBytes} bytes of data does not have ${expected.bytes} bytes`)
  }
}

/** @throws CorruptIndexError when the header's dimensions or stride do not match the manifest */
export function checkHeaderShape(header: SegmentHeader, manifest: Manifest, path: string): void {
  const expected = { dimensions: manifest.dimensions, strideBytes: SEGMENT_KINDS[header.kind].strideBytes(manifest) }
  for (const field of ['dimensions', 'strideBytes'] as const) {
    if (header[field] !== expected[field]) {
      throw new CorruptIndexError(path, `the header's ${field} is ${header[field]}, expected ${expected[field]}`)
    }
  }
}

/** Checks the header of every segment of a generation when an index is opened. @throws CorruptIndexError */
export async function checkSegmentHeaders(directory: string, manifest: Manifest): Promise<void> {
  for (const file of manifest.segments) {
    const path = join(directory, file.name)
    checkHeaderShape(await readSegmentHeader(path, file), manifest, path)
  }
}
