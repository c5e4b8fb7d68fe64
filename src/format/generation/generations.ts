/** The numbered folders of an index directory, one for each build that began to write. */
import type { Dirent } from 'node:fs'
import { access, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { systemErrorCode, writeFailure } from '../bytes/file-errors.js'
import { MANIFEST_NAME } from './manifest.js'
import { entriesOf, isOwnName, whyNotOurs } from './own-generation.js'

/** Names of generation folders. At most 15 digits, so that the number is exact. */
export const GENERATION_NAME = /^gen-(\d{6,15})$/

export interface Generation {
  readonly name: string
  readonly number: number
}

/** Oldest first; none when the directory does not exist. Without links, whose targets must not be deleted. */
export async function listGenerations(indexDir: string): Promise<Generation[]> {
  return numbered(indexDir, (entry) => entry.isDirectory())
}

async function numbered(indexDir: string, counts: (entry: Dirent) => boolean): Promise<Generation[]> {
  try {
    const entries = await readdir(indexDir, { withFileTypes: true })
    return entries
      .filter(counts)
      .flatMap(({ name }) => {
        const match = GENERATION_NAME.exec(name)
        return match === null ? [] : [{ name, number: Number(match[1]) }]
      })
      .sort((a, b) => a.number - b.number)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return []
    throw writeFailure(indexDir, 0, error)
  }
}

/**
 * The name after the newest folder's name, finished or not. Does not read CURRENT, so that a damaged one does not stop
 * the build that replaces it. Files and links count too: a generation that was moved elsewhere must not be written to.
 */
export async function nextGeneration(indexDir: string): Promise<string> {
  const newest = (await numbered(indexDir, () => true)).at(-1)?.number ?? 0
  return `gen-${String(newest + 1).padStart(6, '0')}`
}

/** Whether a generation has its manifest, which is written last. */
export async function isComplete(indexDir: string, generation: string): Promise<boolean> {
  try {
    await access(join(indexDir, generation, MANIFEST_NAME))
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false
    throw writeFailure(join(indexDir, generation, MANIFEST_NAME), 0, error)
  }
}

/**
 * Deletes a generation that proves to be a build's; otherwise answers why it was left alone. Manifest first: when
 * interrupted, it leaves an incomplete one, not a damaged one. Only files of a build's names are deleted, and then the
 * folder, which must be empty by then.
 */
export async function deleteGeneration(indexDir: string, generation: string): Promise<string | undefined> {
  const directory = join(indexDir, generation)
  try {
    const foreign = await whyNotOurs(directory, generation)
    if (foreign !== undefined) return foreign
    await rm(join(directory, MANIFEST_NAME), { force: true })
    for (const { name } of await entriesOf(directory)) if (isOwnName(name)) await rm(join(directory, name))
    await rmdir(directory)
    return undefined
  } catch (error) {
    const code = systemErrorCode(error)
    // It is a file, or another process was faster.
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw writeFailure(directory, 0, error)
  }
}
