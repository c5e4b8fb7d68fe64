/** CURRENT: one line that says which generation is live, and the CRC-32 of its manifest. */
import { join } from 'node:path'
import { CorruptIndexError } from '../../errors.js'
import { checkPath } from '../../sources/check-path.js'
import { readFailure, systemErrorCode } from '../bytes/file-errors.js'
import { readSmallFile } from '../bytes/read-small-file.js'

export const CURRENT_NAME = 'CURRENT'
/** Written, synced and then renamed to CURRENT. */
export const CURRENT_TEMPORARY_NAME = 'CURRENT.tmp'

export interface Current {
  readonly generation: string
  readonly manifestCrc32: number
}

/** Longer than any valid line. */
const MAX_LINE_BYTES = 80
const LINE = /^(gen-\d{6,15}) ([0-9a-f]{8})\n$/

export function encodeCurrent({ generation, manifestCrc32 }: Current): Uint8Array {
  return new TextEncoder().encode(`${generation} ${manifestCrc32.toString(16).padStart(8, '0')}\n`)
}

/** @throws CorruptIndexError */
export function parseCurrent(bytes: Uint8Array, path: string): Current {
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const match = LINE.exec(line)
  if (match === null) {
    throw new CorruptIndexError(path, `${JSON.stringify(line.slice(0, 80))} is not a line like "gen-000001 0123abcd"`)
  }
  return { generation: match[1], manifestCrc32: Number.parseInt(match[2], 16) }
}

/** The live generation; undefined when nothing was ever published here. @throws CorruptIndexError, InvalidOptionError */
export async function readCurrent(indexDir: string): Promise<Current | undefined> {
  checkPath(indexDir, 'the index directory')
  const path = join(indexDir, CURRENT_NAME)
  try {
    return parseCurrent(await readSmallFile(path, MAX_LINE_BYTES), path)
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw readFailure(path, error)
  }
}
