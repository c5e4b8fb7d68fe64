/** Rows of a kind, out of segments that are sealed or not: only their data is read, by position, and nothing is checked. */
import { closeSync, openSync } from 'node:fs'
import { readAtSync } from '../../spill/files/read-at.js'
import { CorruptIndexError } from '../errors.js'
import { SEGMENT_HEADER_BYTES } from '../format/segment/segment-header.js'
import type { RowSource } from './row-source.js'

/** A segment of rows. */
export interface RowFile {
  readonly path: string
  readonly firstNode: number
  readonly count: number
}

interface OpenRowFile extends RowFile {
  readonly fd: number
}

export class FileRows implements RowSource {
  readonly count: number
  readonly strideBytes: number
  readonly #files: OpenRowFile[] = []
  #closed = false

  /** Opens every file; `close` closes them. They cover all nodes without overlap, in any order. */
  constructor(files: readonly RowFile[], strideBytes: number) {
    this.count = files.reduce((sum, file) => sum + file.count, 0)
    this.strideBytes = strideBytes
    try {
      for (const file of files) this.#files.push({ ...file, fd: openSync(file.path, 'r') })
    } catch (error) {
      this.close()
      throw error
    }
    this.#files.sort((a, b) => a.firstNode - b.firstNode)
  }

  /** @throws CorruptIndexError when a file ends before its rows do */
  read(first: number, count: number, into: Uint8Array): void {
    const { strideBytes } = this
    for (let node = first; node < first + count;) {
      const file = this.#fileOf(node)
      const end = Math.min(first + count, file.firstNode + file.count)
      const rows = into.subarray((node - first) * strideBytes, (end - first) * strideBytes)
      const offset = SEGMENT_HEADER_BYTES + (node - file.firstNode) * strideBytes
      const got = readAtSync(file.fd, rows, offset)
      if (got < rows.length) {
        throw new CorruptIndexError(file.path, `the row of node ${node} ends after ${got} of ${rows.length} bytes`, {
          offset,
        })
      }
      node = end
    }
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    for (const { fd } of this.#files) closeSync(fd)
  }

  #fileOf(node: number): OpenRowFile {
    let low = 0
    let high = this.#files.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#files[middle].firstNode <= node) low = middle + 1
      else high = middle
    }
    const file = this.#files[low - 1] as OpenRowFile | undefined
    if (file === undefined || node >= file.firstNode + file.count) throw new RangeError(`no file holds node ${node}`)
    return file
  }
}
