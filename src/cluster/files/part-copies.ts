import { open } from 'node:fs/promises'
import PQueue from 'p-queue'
import { readAt } from '../../../spill/files/read-at.js'
import { CorruptSpillError } from '../../errors.js'
import { writeFailure } from '../../format/bytes/file-errors.js'
import { writeAt } from '../../format/bytes/write-durably.js'
import {
  appendPieces,
  partCrc,
  type ChecksumPiece,
  type PartChecksums,
} from '../../format/segment/segment-checksums.js'
import { SEGMENT_HEADER_BYTES } from '../../format/segment/segment-header.js'

/** Bytes of a segment that a task writes. */
export interface ExpectedPart {
  readonly path: string
  readonly dataOffset: number
  readonly bytes: number
}

const CHUNK_BYTES = 4 * 2 ** 20
/** Copied at once: as many chunks are held, however many hosts end at the same time. */
const AT_ONCE = 4

/** Takes parts of segments over from the files of hosts. */
export class PartCopies {
  readonly #queue = new PQueue({ concurrency: AT_ONCE })
  /** Those that no copy uses now. */
  readonly #chunks: Buffer[] = []

  /**
   * Copies a part from the host's file into the segment, which has it at the same place, and returns its checksums,
   * computed from what was copied. When they are not `claimed`, the part must be copied again from another host's file.
   * @throws CorruptSpillError for a file that is not what the host says, DiskFullError and other file errors
   */
  async accept(from: string, expected: ExpectedPart, claimed: PartChecksums): Promise<PartChecksums> {
    const { dataOffset, bytes } = expected
    if (claimed.offset !== dataOffset || claimed.length !== bytes) {
      const [got, wanted] = [`${claimed.length} bytes at ${claimed.offset}`, `${bytes} at ${dataOffset}`]
      throw new CorruptSpillError(from, SEGMENT_HEADER_BYTES, `a part of ${got}, expected ${wanted}`)
    }
    const checksums = await this.#queue.add(() => this.#copy(from, expected))
    const [found, wanted] = [partCrc(checksums), partCrc(claimed)]
    if (found !== wanted) {
      const reason = `the part's crc32 is ${found.toString(16)}, its host says ${wanted.toString(16)}`
      throw new CorruptSpillError(from, SEGMENT_HEADER_BYTES + dataOffset, reason)
    }
    return checksums
  }

  async #copy(from: string, expected: ExpectedPart): Promise<PartChecksums> {
    const chunk = this.#chunks.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES)
    try {
      return await copyPart(from, expected, chunk)
    } catch (error) {
      throw writeFailure(expected.path, expected.bytes, error)
    } finally {
      this.#chunks.push(chunk)
    }
  }
}

async function copyPart(
  from: string,
  { path, dataOffset, bytes }: ExpectedPart,
  chunk: Buffer,
): Promise<PartChecksums> {
  const pieces: ChecksumPiece[] = []
  const source = await open(from, 'r')
  try {
    const target = await open(path, 'r+')
    try {
      for (let done = 0; done < bytes;) {
        const piece = chunk.subarray(0, Math.min(chunk.length, bytes - done))
        const at = SEGMENT_HEADER_BYTES + dataOffset + done
        const got = await readAt(source, piece, at)
        if (got < piece.length) throw new CorruptSpillError(from, at + got, 'the file ends inside the part')
        appendPieces(pieces, dataOffset + done, piece)
        await writeAt(target, piece, at)
        done += piece.length
      }
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
  return { offset: dataOffset, length: bytes, pieces }
}
