/** The numbered folders of an index directory, one for each build that began to write. */
import type { Dirent } from 'node:fs'
import { access, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemErrorCode, writeFailure } from '../bytes/file-errors.js'
import { MANIFEST_NAME } from './manifest.js'

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
 * the build that replaces it. Links count: a generation that was moved elsewhere must not be written to.
 */
export async function nextGeneration(indexDir: string): Promise<string> {
  const newest =
    (await numbered(indexDir, (entry) => entry.isDirectory() || entry.isSymbolicLink())).at(-1)?.number ?? 0
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

/** Deletes a generation, manifest first: when interrupted, it leaves an incomplete one, not a damaged one. */
export async function deleteGeneration(indexDir: string, generation: string): Promise<void> {
  const directory = join(indexDir, generation)
  try {
    await rm(join(directory, MANIFEST_NAME), { force: true })
    await rm(directory, { recursive: true, force: true })
  } catch (error) {
    throw writeFailure(directory, 0, error)
  }
}
