import { closeSync, openSync } from 'node:fs'
import { readAtSync } from '../../spill/files/read-at.js'
import { CorruptIndexError } from '../errors.js'
import { SEGMENT_HEADER_BYTES } from '../format/segment/segment-header.js'
import type { RowFile } from './file-rows.js'

/** The rows of one segment, sealed or not, while it is open. For worker threads: synchronous. */
export interface OpenRows {
  /** Reads the rows from node `first` on into `into`. */
  read(first: number, into: Uint8Array): void
  close(): void
}

export function openRows(file: RowFile, strideBytes: number): OpenRows {
  const handle = openSync(file.path, 'r')
  return {
    read: (first, into) => {
      const start = SEGMENT_HEADER_BYTES + (first - file.firstNode) * strideBytes
      const length = readAtSync(handle, into, start)
      if (length < into.length) {
        throw new CorruptIndexError(file.path, 'the file ends inside its data', { offset: start + length })
      }
    },
    close: () => closeSync(handle),
  }
}

/** Reads the rows from node `first` on of a segment that is opened for it alone. */
export function readRows(file: RowFile, strideBytes: number, first: number, into: Uint8Array): void {
  const rows = openRows(file, strideBytes)
  try {
    rows.read(first, into)
  } finally {
    rows.close()
  }
}

/** The file that holds `node`; files ascend and cover all nodes. */
export function fileOfNode(files: readonly RowFile[], node: number): number {
  let low = 0
  let high = files.length
  while (high - low > 1) {
    const middle = (low + high) >>> 1
    if (files[middle].firstNode <= node) low = middle
    else high = middle
  }
  return low
}
