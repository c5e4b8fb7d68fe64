/** Tells a generation that a build made from a folder of the same name that somebody else made. */
import type { Dirent } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { readAt } from '../../../spill/files/read-at.js'
import { systemErrorCode } from '../bytes/file-errors.js'
import { isError } from '../../runtime/realms.js'
import { readOwnFile } from '../bytes/read-small-file.js'
import { kindOfSegmentName } from '../segment/segment-file.js'
import { SEGMENT_MAGIC } from '../segment/segment-header.js'
import { MANIFEST_NAME, MAX_MANIFEST_BYTES } from './manifest.js'
import { isTuningFile } from './tuning.js'

/** Whether a build, an import or `tune` gives this name to a file of a generation. */
export function isOwnName(name: string): boolean {
  return name === MANIFEST_NAME || isTuningFile(name) || kindOfSegmentName(name) !== undefined
}

/** The entries of a folder; none when it does not exist or is a file. Throws other system errors. */
export async function entriesOf(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}

/** The first name in a generation's folder that no build gives to a file. */
export async function foreignNameIn(directory: string): Promise<string | undefined> {
  return (await entriesOf(directory)).find(({ name }) => !isOwnName(name))?.name
}

/**
 * Why a folder may not be deleted as a generation: it holds a name that no build gives, or none of its files proves to
 * be a build's. Undefined when it may be, also when it is empty or missing. Throws system errors.
 */
export async function whyNotOurs(directory: string, generation: string): Promise<string | undefined> {
  const entries = await entriesOf(directory)
  const foreign = entries.find((entry) => !entry.isFile() || !isOwnName(entry.name))
  if (foreign !== undefined) return `it holds ${foreign.name}, which no build wrote`
  if (entries.length === 0) return undefined
  if (await hasOwnManifest(directory, generation)) return undefined
  for (const { name } of entries) if (await isSegment(join(directory, name), name)) return undefined
  return `no build wrote what it holds: ${entries[0].name}`
}

/** Whether the manifest says that it is of this generation, whatever else it says. */
export async function hasOwnManifest(directory: string, generation: string): Promise<boolean> {
  try {
    const read = await readOwnFile(join(directory, MANIFEST_NAME), MAX_MANIFEST_BYTES)
    if (typeof read === 'string') return false
    const json = JSON.parse(Buffer.from(read).toString()) as Partial<Record<string, unknown>> | null
    return typeof json?.['formatVersion'] === 'number' && json['generation'] === generation
  } catch (error) {
    if ((isError(error) && error.name === 'SyntaxError') || systemErrorCode(error) === 'ENOENT') return false
    throw error
  }
}

/** By its first bytes. A build that is killed may leave an empty file of the name, which is nobody's loss. */
async function isSegment(path: string, name: string): Promise<boolean> {
  if (kindOfSegmentName(name) === undefined) return false
  if ((await stat(path)).size === 0) return true
  const handle = await open(path, 'r')
  try {
    const bytes = new Uint8Array(SEGMENT_MAGIC.length)
    const length = await readAt(handle, bytes, 0)
    return length === bytes.length && SEGMENT_MAGIC.every((byte, at) => bytes[at] === byte)
  } finally {
    await handle.close()
  }
}
