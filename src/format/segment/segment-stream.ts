/** Writes a segment whose length is known only at its end: front to back, synchronous, by one thread. */
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { basename } from 'node:path'
import { crc32 } from '../../../spill/files/crc32.js'
import { writeFailure } from '../bytes/file-errors.js'
import { writeAtSync } from '../bytes/write-durably.js'
import { encodeSegmentFooter, segmentFileCrc } from './segment-checksums.js'
import type { SegmentFile } from './segment-file.js'
import {
  encodeSegmentHeader,
  segmentFileBytes,
  SEGMENT_BLOCK_BYTES,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './segment-header.js'

const BUFFER_BYTES = 256 * 1024

export class SegmentStream {
  readonly #path: string
  readonly #header: Omit<SegmentHeader, 'dataBytes'>
  /** A whole number of checksum blocks, so that each write has whole ones. */
  readonly #buffer = new Uint8Array(BUFFER_BYTES)
  #buffered = 0
  #written = 0
  #fd: number | undefined
  #crcs = new Uint32Array(64)
  #blocks = 0

  /** Creates or truncates the file. */
  constructor(path: string, header: Omit<SegmentHeader, 'dataBytes'>) {
    this.#path = path
    this.#header = header
    try {
      this.#fd = openSync(path, 'w')
    } catch (error) {
      throw writeFailure(path, 0, error)
    }
  }

  /** Bytes of data so far. */
  get length(): number {
    return this.#written + this.#buffered
  }

  /** Copies `bytes`, which may be reused at once. */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const part = bytes.subarray(at, at + BUFFER_BYTES - this.#buffered)
      this.#buffer.set(part, this.#buffered)
      this.#buffered += part.length
      at += part.length
      if (this.#buffered === BUFFER_BYTES) this.#flush()
    }
  }

  /** Writes header and footer, syncs and closes the file, and returns its entry for the manifest. */
  finish(): SegmentFile {
    this.#flush()
    const dataBytes = this.#written
    const header = { ...this.#header, dataBytes }
    const page = encodeSegmentHeader(header)
    const blockCrcs = this.#crcs.slice(0, this.#blocks)
    const footer = encodeSegmentFooter(blockCrcs)
    this.#put(page, 0)
    this.#put(footer, SEGMENT_HEADER_BYTES + dataBytes)
    try {
      fsyncSync(this.#opened())
    } catch (error) {
      throw writeFailure(this.#path, 0, error)
    }
    this.close()
    const { kind, firstNode, count } = header
    const crc = segmentFileCrc(page, blockCrcs, dataBytes, footer)
    return { name: basename(this.#path), kind, firstNode, count, bytes: segmentFileBytes(dataBytes), crc32: crc }
  }

  /** Idempotent. Gives the file up unless `finish` was called. */
  close(): void {
    const fd = this.#fd
    this.#fd = undefined
    try {
      if (fd !== undefined) closeSync(fd)
    } catch (error) {
      throw writeFailure(this.#path, 0, error)
    }
  }

  #opened(): number {
    if (this.#fd === undefined) throw new Error(`${this.#path}: write after close`)
    return this.#fd
  }

  #flush(): void {
    const bytes = this.#buffer.subarray(0, this.#buffered)
    for (let at = 0; at < bytes.length; at += SEGMENT_BLOCK_BYTES) {
      this.#addCrc(crc32(bytes.subarray(at, at + SEGMENT_BLOCK_BYTES)))
    }
    this.#put(bytes, SEGMENT_HEADER_BYTES + this.#written)
    this.#written += bytes.length
    this.#buffered = 0
  }

  #addCrc(crc: number): void {
    if (this.#blocks === this.#crcs.length) {
      const longer = new Uint32Array(2 * this.#blocks)
      longer.set(this.#crcs)
      this.#crcs = longer
    }
    this.#crcs[this.#blocks++] = crc
  }

  #put(bytes: Uint8Array, position: number): void {
    const fd = this.#opened()
    try {
      writeAtSync(fd, bytes, position)
    } catch (error) {
      throw writeFailure(this.#path, bytes.length, error)
    }
  }
}
