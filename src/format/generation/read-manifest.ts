/** Reads the manifest of the live generation of an index directory, or of a kept one. */
import { join } from 'node:path'
import { CorruptIndexError, PathError } from '../../errors.js'
import { crc32 } from '../../../spill/files/crc32.js'
import { CURRENT_NAME, readCurrent } from './current.js'
import { readFailure } from '../bytes/file-errors.js'
import { checkFileSizes } from './check-file-sizes.js'
import { isComplete, listGenerations } from './generations.js'
import { MANIFEST_NAME, MAX_MANIFEST_BYTES, type Manifest } from './manifest.js'
import { parseManifest } from './manifest-json.js'
import { readSmallFile } from '../bytes/read-small-file.js'

export interface LiveGeneration {
  readonly manifest: Manifest
  /** The folder of the manifest's files. */
  readonly directory: string
}

/**
 * The live generation. Verifies its manifest, checks every field, and checks the size of every file.
 * @throws PathError when nothing was ever published at `indexDir`; CorruptIndexError
 */
export async function readManifest(indexDir: string): Promise<LiveGeneration> {
  const live = await loadManifest(indexDir)
  await checkFileSizes(live.directory, live.manifest.segments)
  return live
}

/** Like `readManifest`, without checking the files that the manifest lists. `bytes`: length of the manifest. */
export async function loadManifest(indexDir: string): Promise<LiveGeneration & { bytes: number }> {
  const current = await readCurrent(indexDir)
  if (current === undefined) {
    throw new PathError(
      indexDir,
      `there is no index here (no ${CURRENT_NAME}); make one with buildIndex(source, { path }) or with ` +
        `shardloom build <input> --out ${indexDir}`,
    )
  }
  const directory = join(indexDir, current.generation)
  const path = join(directory, MANIFEST_NAME)
  const bytes = await readBytes(path)
  const computed = crc32(bytes)
  if (computed !== current.manifestCrc32) {
    const [found, expected] = [computed.toString(16), current.manifestCrc32.toString(16)]
    throw new CorruptIndexError(path, `the manifest's CRC is ${found}, ${CURRENT_NAME} says ${expected}`)
  }
  const manifest = parseManifest(bytes, path)
  if (manifest.generation !== current.generation) {
    throw new CorruptIndexError(path, `field generation is ${manifest.generation}, the folder is ${current.generation}`)
  }
  return { manifest, directory, bytes: bytes.length }
}

/**
 * Reads the manifest of any kept generation, and none of its files. CURRENT has only the live manifest's checksum, so
 * this one is checked field by field.
 * @throws PathError when the generation does not exist; CorruptIndexError
 */
export async function readGeneration(indexDir: string, generation: string): Promise<LiveGeneration> {
  const complete = await completeGenerations(indexDir)
  if (!complete.includes(generation)) {
    const kept = complete.length === 0 ? 'none' : complete.join(', ')
    throw new PathError(indexDir, `there is no generation ${generation}; kept generations: ${kept}`)
  }
  const directory = join(indexDir, generation)
  const path = join(directory, MANIFEST_NAME)
  const manifest = parseManifest(await readBytes(path), path)
  if (manifest.generation !== generation) {
    throw new CorruptIndexError(path, `field generation is ${manifest.generation}, the folder is ${generation}`)
  }
  return { manifest, directory }
}

/** The newest kept generation that is older than `generation`; undefined when there is none. */
export async function generationBefore(indexDir: string, generation: string): Promise<string | undefined> {
  const complete = await completeGenerations(indexDir)
  const number = (name: string): number => Number(name.slice('gen-'.length))
  return complete.filter((name) => number(name) < number(generation)).at(-1)
}

/** Oldest first. */
async function completeGenerations(indexDir: string): Promise<string[]> {
  const names: string[] = []
  for (const { name } of await listGenerations(indexDir)) if (await isComplete(indexDir, name)) names.push(name)
  return names
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    return await readSmallFile(path, MAX_MANIFEST_BYTES)
  } catch (error) {
    throw readFailure(path, error)
  }
}
