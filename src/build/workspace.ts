import { mkdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { PathError } from '../errors.js'
import { systemErrorCode } from '../format/file-errors.js'
import { deleteGeneration, nextGeneration } from '../format/generations.js'
import { acquireLock } from '../format/lock.js'
import type { BuildPaths } from './build-context.js'
import type { ResolvedOptions } from './resolve-options.js'

/** The folders of one build, held by its lock. */
export interface Workspace {
  readonly paths: BuildPaths
  /** Deletes everything temporary, and the new generation unless it was published; gives the lock back. Idempotent. */
  close(outcome: { published: boolean }): Promise<void>
}

/** Makes the folders and takes the lock. Throws PathError when the output cannot be written, IndexLockedError. */
export async function openWorkspace(options: ResolvedOptions): Promise<Workspace> {
  const indexDir = options.path
  const lock = await acquireLock(indexDir)
  const buildDir = path.join(indexDir, 'build')
  const spillDir =
    options.tempDir === undefined
      ? path.join(buildDir, 'spill')
      : path.join(options.tempDir, `shardloom-${os.hostname()}-${process.pid}-${Date.now().toString(36)}`)
  let generation: string | undefined
  let closed = false
  const close = async ({ published }: { published: boolean }): Promise<void> => {
    if (closed) return
    closed = true
    try {
      await removeFolder(spillDir)
      if (!published && generation !== undefined) await deleteGeneration(indexDir, generation)
    } finally {
      // Takes the folders with it that it had to make and that are empty: a refused first build leaves nothing behind.
      await lock.release()
    }
  }
  try {
    generation = await nextGeneration(indexDir)
    const generationDir = path.join(indexDir, generation)
    // What an earlier, killed build left.
    await removeFolder(path.join(buildDir, 'spill'))
    await makeDirectory(spillDir)
    await makeDirectory(generationDir)
    return { paths: { indexDir, buildDir, spillDir, generation, generationDir }, close }
  } catch (error) {
    await close({ published: false })
    throw error
  }
}

/** A folder that was never made needs no removing, also one that could not be because there is a file in its way. */
async function removeFolder(directory: string): Promise<void> {
  try {
    await rm(directory, { recursive: true, force: true })
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOTDIR') throw error
  }
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true })
  } catch (error) {
    throw new PathError(
      directory,
      `cannot be written: ${(error as Error).message}; choose another folder, or fix its permissions`,
      error,
    )
  }
}
