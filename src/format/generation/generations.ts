/** The numbered folders of an index directory, one for each build that got far enough to write. */
import type { Dirent } from 'node:fs'
import { access, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemErrorCode, writeFailure } from '../bytes/file-errors.js'
import { MANIFEST_NAME } from './manifest.js'

/** The names of generation folders. At most 15 digits: a number that is exact. */
export const GENERATION_NAME = /^gen-(\d{6,15})$/

export interface Generation {
  readonly name: string
  readonly number: number
}

/** Oldest first; none when the directory does not exist. Links are left out: what they lead to is not ours to delete. */
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
 * The name after the newest folder's, finished or not. Asks the folders only, so that a damaged CURRENT does not stand
 * in the way of the build that replaces it. A link counts: a generation that was moved elsewhere must not be written to.
 */
export async function nextGeneration(indexDir: string): Promise<string> {
  const newest =
    (await numbered(indexDir, (entry) => entry.isDirectory() || entry.isSymbolicLink())).at(-1)?.number ?? 0
  return `gen-${String(newest + 1).padStart(6, '0')}`
}

/** A generation's manifest is its last file: with it, the generation is whole. */
export async function isComplete(indexDir: string, generation: string): Promise<boolean> {
  try {
    await access(join(indexDir, generation, MANIFEST_NAME))
    return true
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false
    throw writeFailure(join(indexDir, generation, MANIFEST_NAME), 0, error)
  }
}

/** Deletes a generation, manifest first: cut short, it leaves an incomplete one, not a damaged one. */
export async function deleteGeneration(indexDir: string, generation: string): Promise<void> {
  const directory = join(indexDir, generation)
  try {
    await rm(join(directory, MANIFEST_NAME), { force: true })
    await rm(directory, { recursive: true, force: true })
  } catch (error) {
    throw writeFailure(directory, 0, error)
  }
}
