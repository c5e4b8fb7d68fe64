/** Tells whether a file is unchanged without reading all of it. */
import { createHash } from 'node:crypto'
import { fileFacts, openFileBytes, readFully } from './bytes/byte-reader.js'

const FIRST_BYTES = 64 * 1024

/**
 * Size, time of the last change, and a checksum of the first 64 KiB. Without the path: a moved file is the same file.
 * @throws PathError
 */
export async function fileFingerprint(path: string): Promise<string> {
  const facts = await fileFacts(path)
  const bytes = await openFileBytes(path, facts)
  try {
    const first = new Uint8Array(Math.min(FIRST_BYTES, facts.byteLength ?? 0))
    const read = await readFully(bytes, first, 0)
    const hash = createHash('sha256').update(first.subarray(0, read)).digest('hex').slice(0, 16)
    return `${facts.byteLength ?? 'pipe'}:${facts.changedNs}:${hash}`
  } finally {
    await bytes.close()
  }
}
