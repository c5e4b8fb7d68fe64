import { mkdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { PathError } from '../errors.js'
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
  const generation = await nextGeneration(indexDir)
  const generationDir = path.join(indexDir, generation)
  let closed = false
  const close = async ({ published }: { published: boolean }): Promise<void> => {
    if (closed) return
    closed = true
    await rm(spillDir, { recursive: true, force: true })
    if (!published) await deleteGeneration(indexDir, generation)
    // Takes the folders with it that it had to make and that are empty: a refused first build leaves nothing behind.
    await lock.release()
  }
  try {
    // What an earlier, killed build left.
    await rm(path.join(buildDir, 'spill'), { recursive: true, force: true })
    await makeDirectory(spillDir)
    await makeDirectory(generationDir)
  } catch (error) {
    await close({ published: false })
    throw error
  }
  return { paths: { indexDir, buildDir, spillDir, generation, generationDir }, close }
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
