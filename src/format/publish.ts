/**
 * Makes a finished generation the live one.
 *
 * The rename of CURRENT is the moment: before it the old generation is live and untouched, after it the new one is
 * live and wholly on the device. Old generations go only after that.
 */
import { rename, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { crc32 } from './crc32.js'
import { CURRENT_NAME, encodeCurrent } from './current.js'
import { syncDirectory, writeDurably } from './whole-files.js'
import { writeFailure } from './file-errors.js'
import { deleteGeneration, isComplete, listGenerations } from './generations.js'
import { MANIFEST_NAME, type Manifest } from './manifest.js'
import { encodeManifest } from './manifest-json.js'
import { checkFileSizes } from './file-sizes.js'

export interface PublishResult {
  readonly deletedGenerations: readonly string[]
  /** Old generations that could not be deleted. The new one is live all the same. */
  readonly undeleted: readonly { readonly generation: string; readonly cause: unknown }[]
}

const DEFAULT_KEPT_GENERATIONS = 1

/**
 * Writes the manifest into `indexDir/generation`, where the sealed segments already are, and switches CURRENT to it.
 * Keeps the newest `keepGenerations` complete generations before it; deletes the others and all incomplete ones.
 * The caller holds the lock. Throws with the old generation still live.
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
    throw new RangeError(`the manifest is of ${manifest.generation}, not of ${generation}`)
  }
  const bytes = encodeManifest(manifest, manifestPath)
  await checkFileSizes(directory, manifest.segments)
  await writeDurably(manifestPath, bytes)
  await syncDirectory(directory)
  await syncDirectory(indexDir)
  await syncDirectory(dirname(resolve(indexDir)))
  await switchCurrent(indexDir, encodeCurrent({ generation, manifestCrc32: crc32(bytes) }))
  return deleteOldGenerations(indexDir, generation, options.keepGenerations ?? DEFAULT_KEPT_GENERATIONS)
}

async function switchCurrent(indexDir: string, line: Uint8Array): Promise<void> {
  const path = join(indexDir, CURRENT_NAME)
  const temporary = `${path}.tmp`
  try {
    await writeDurably(temporary, line)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true, recursive: true })
    throw writeFailure(path, line.length, error)
  }
  await syncDirectory(indexDir)
}

async function deleteOldGenerations(indexDir: string, live: string, keep: number): Promise<PublishResult> {
  const deletedGenerations: string[] = []
  const undeleted: { generation: string; cause: unknown }[] = []
  let kept = 0
  for (const { name } of (await listGenerations(indexDir)).reverse()) {
    if (name === live) continue
    if ((await isComplete(indexDir, name)) && kept < keep) {
      kept++
      continue
    }
    try {
      await deleteGeneration(indexDir, name)
      deletedGenerations.push(name)
    } catch (cause) {
      undeleted.push({ generation: name, cause })
    }
  }
  return { deletedGenerations, undeleted }
}
