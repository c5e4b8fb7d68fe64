/**
 * Makes a finished generation the live one.
 *
 * The rename of CURRENT is the switch: before it the old generation is live and untouched, after it the new one is live
 * and completely on the device. Old generations are deleted only after that. Nothing throws after the rename: a caller
 * that saw an error would take the old generation for the live one, and delete the new one.
 */
import { rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { crc32 } from '../../../spill/files/crc32.js'
import { CURRENT_NAME, CURRENT_TEMPORARY_NAME, encodeCurrent, readCurrent } from './current.js'
import { syncDirectory, writeDurably } from '../bytes/write-durably.js'
import { writeFailure } from '../bytes/file-errors.js'
import { deleteGeneration, isComplete, listGenerations } from './generations.js'
import { MANIFEST_NAME, type Manifest } from './manifest.js'
import { hasOwnManifest, whyNotOurs } from './own-generation.js'
import { encodeManifest } from './manifest-json.js'
import { checkFileSizes } from './check-file-sizes.js'

export interface PublishResult {
  readonly deletedGenerations: readonly string[]
  /**
   * Old generations that could not be deleted or listed, and folders of such a name that no build made; a text says
   * why. The new one is live in any case.
   */
  readonly undeleted: readonly { readonly generation: string; readonly cause: unknown }[]
  /**
   * Why the rename of CURRENT may not be on the device yet; undefined when it is. The new generation is live, but a
   * power cut may bring the old one back, so none is deleted.
   */
  readonly unsynced: { readonly cause: unknown } | undefined
}

const DEFAULT_KEPT_GENERATIONS = 1

/**
 * Writes the manifest into `indexDir/generation`, where the sealed segments already are, and switches CURRENT to it.
 * Keeps the newest `keepGenerations` complete generations before it; deletes the others and all incomplete ones that
 * prove to be a build's.
 * The caller holds the lock. Throws with the old generation still live: DiskFullError, PathError, CorruptIndexError,
 * SHARDLOOM_FILE_FAILED.
 */
export async function publishGeneration(
  indexDir: string,
  generation: string,
  manifest: Manifest,
  options: { keepGenerations?: number } = {},
): Promise<PublishResult> {
  const directory = join(indexDir, generation)
  const manifestPath = join(directory, MANIFEST_NAME)
  if (manifest.generation !== generation) {
    throw new RangeError(`the manifest belongs to ${manifest.generation}, not to ${generation}`)
  }
  const bytes = encodeManifest(manifest, manifestPath)
  await checkFileSizes(directory, manifest.segments)
  await writeDurably(manifestPath, bytes)
  await syncDirectory(directory)
  await syncDirectory(indexDir)
  await syncDirectory(dirname(resolve(indexDir)))
  const line = encodeCurrent({ generation, manifestCrc32: crc32(bytes) })
  const unsynced = await switchCurrent(indexDir, generation, line)
  if (unsynced !== undefined) return { deletedGenerations: [], undeleted: [], unsynced }
  return deleteOldGenerations(indexDir, generation, options.keepGenerations ?? DEFAULT_KEPT_GENERATIONS)
}

/** Returns the reason why the switch, which was made, may not be on the device; undefined when it is. */
async function switchCurrent(
  indexDir: string,
  generation: string,
  line: Uint8Array,
): Promise<{ readonly cause: unknown } | undefined> {
  const path = join(indexDir, CURRENT_NAME)
  const temporary = join(indexDir, CURRENT_TEMPORARY_NAME)
  try {
    await writeDurably(temporary, line)
    await rename(temporary, path)
  } catch (error) {
    // A file system may rename and still report an error: the content of CURRENT decides.
    if ((await readCurrent(indexDir).catch(() => undefined))?.generation === generation) return { cause: error }
    // The next publish overwrites the file, so a failure to delete it is not reported. A folder is not ours.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw writeFailure(path, line.length, error)
  }
  try {
    await syncDirectory(indexDir)
    return undefined
  } catch (cause) {
    return { cause }
  }
}

async function deleteOldGenerations(indexDir: string, live: string, keep: number): Promise<PublishResult> {
  const deletedGenerations: string[] = []
  const undeleted: { generation: string; cause: unknown }[] = []
  let kept = 0
  for (const name of await olderThan(indexDir, live, undeleted)) {
    try {
      if (kept < keep && (await isOwnComplete(indexDir, name))) {
        kept++
        continue
      }
      const foreign = await deleteGeneration(indexDir, name)
      if (foreign === undefined) deletedGenerations.push(name)
      else undeleted.push({ generation: name, cause: foreign })
    } catch (cause) {
      undeleted.push({ generation: name, cause })
    }
  }
  return { deletedGenerations, undeleted, unsynced: undefined }
}

/** Whether it has a manifest, sound or damaged, and is a build's. */
async function isOwnComplete(indexDir: string, name: string): Promise<boolean> {
  if (!(await isComplete(indexDir, name))) return false
  const directory = join(indexDir, name)
  return (await hasOwnManifest(directory, name)) || (await whyNotOurs(directory, name)) === undefined
}

/** All generations but the live one, newest first. */
async function olderThan(
  indexDir: string,
  live: string,
  undeleted: { generation: string; cause: unknown }[],
): Promise<string[]> {
  try {
    const generations = await listGenerations(indexDir)
    return generations
      .map(({ name }) => name)
      .filter((name) => name !== live)
      .reverse()
  } catch (cause) {
    undeleted.push({ generation: 'the old generations', cause })
    return []
  }
}
