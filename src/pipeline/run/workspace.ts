import { createHash } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { lstat, mkdir, readdir, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { CorruptIndexError, PathError } from '../../errors.js'
import { readCurrent } from '../../format/generation/current.js'
import { systemErrorCode, writeFailure } from '../../format/bytes/file-errors.js'
import { deleteGeneration, GENERATION_NAME, isComplete, nextGeneration } from '../../format/generation/generations.js'
import { acquireLock, BUILD_FOLDER } from '../../format/generation/lock.js'
import { MANIFEST_NAME } from '../../format/generation/manifest.js'
import {
  Journal,
  JOURNAL_FORMAT,
  JOURNAL_NAME,
  readJournal,
  type BeginEntry,
  type ReadJournal,
} from '../resume/journal.js'
import { packageVersion } from './package-version.js'
import type { ResolvedOptions } from '../../options/resolve-options.js'
import { finishedWork, optionsThatDecide, type Resume } from '../resume/resume.js'
import type { BuildPaths } from './run.js'

/** The folders of one build, held by its lock. */
export interface Workspace {
  readonly paths: BuildPaths
  readonly resume: Resume | undefined
  /** What somebody should know who expected an interrupted build to go on, or not to. */
  readonly note: { readonly kind: string; readonly message: string } | undefined
  /**
   * Deletes everything temporary, and the new generation unless it was published; gives the lock back. With `keep`, what
   * a later build can go on from stays, if there is anything. Idempotent. What cannot be deleted is thrown, after
   * everything else was; once the new generation is live it is said to the logger, for that build did not fail.
   */
  close(outcome: { published: boolean; keep: boolean }): Promise<void>
}

/** Files that a build goes on from: rows, ids, and graph rows of finished shards. Those of other queues are made again. */
const DURABLE_FILE = /^(?:(?:ingest|ids)-\d{6}\.spill|base-graph-\d+\.rows)$/

/**
 * Makes the folders and takes the lock; takes over what an interrupted build of the same left, or deletes it.
 * Throws PathError when the output cannot be written, IndexLockedError.
 */
export async function openWorkspace(options: ResolvedOptions, resumable: boolean): Promise<Workspace> {
  const indexDir = options.path
  const lock = await acquireLock(indexDir)
  const buildDir = path.join(indexDir, BUILD_FOLDER)
  const journalPath = path.join(buildDir, JOURNAL_NAME)
  let paths: BuildPaths | undefined
  let journal: Journal | undefined
  let opened = false
  let closed = false
  const clear = async (published: boolean): Promise<void> => {
    const steps = [async (): Promise<void> => removeAll(journalPath)]
    if (paths !== undefined) {
      const { spillDir, generation } = paths
      steps.push(async () => removeAll(spillDir))
      // Whatever went wrong: what CURRENT names is not deleted.
      if (!published) steps.push(async () => deleteUnlessLive(indexDir, generation))
    }
    await runAll(steps)
  }
  const close = async ({ published, keep }: { published: boolean; keep: boolean }): Promise<void> => {
    if (closed) return
    closed = true
    // Before a build has begun, the journal on disk is another one's.
    const hasUnits = async (): Promise<boolean> => (opened ? journal?.hasUnits === true : isResumable(indexDir))
    try {
      await runAll([
        async () => journal?.close(),
        async () => {
          if (!(keep && (await hasUnits()))) await clear(published)
        },
        // Takes the folders with it that it had to make and that are empty: a refused first build leaves nothing behind.
        async () => lock.release(),
      ])
    } catch (error) {
      const failure = writeFailure(indexDir, 0, error)
      if (!published) throw failure
      options.logger.warn(`the build is done, but not all that was temporary could be deleted: ${String(failure)}`)
    }
  }
  try {
    const begin = beginOf(options)
    const left = await readJournal(journalPath)
    const obstacle = left && (resumable ? await whyAfresh(indexDir, left, begin) : `resuming is off for this build`)
    let note: Workspace['note']
    if (left !== undefined && obstacle === undefined) {
      paths = pathsOf(options, left.begin.generation)
      await clearForResume(paths)
    } else {
      if (left !== undefined) {
        note = {
          kind: 'fresh-start',
          message: `an interrupted build of ${left.begin.startedAt} is not resumed: ${obstacle ?? ''}`,
        }
        await discard(indexDir, left.begin)
      }
      // What a build that was killed, and kept no journal, left.
      await removeAll(path.join(buildDir, 'spill'))
      await removeAll(journalPath)
      paths = pathsOf(options, await nextGeneration(indexDir))
      if (resumable) await removeAll(paths.spillDir)
    }
    await makeDirectory(paths.spillDir)
    await makeDirectory(paths.generationDir)
    let resume: Resume | undefined
    if (resumable) {
      const goOn = obstacle === undefined ? left : undefined
      journal = await Journal.open(journalPath, goOn ?? { ...begin, generation: paths.generation })
      resume = { journal, finished: goOn && finishedWork(goOn), reused: { vectors: 0, shards: 0, segments: 0 } }
      if (goOn !== undefined) note = { kind: 'resumed', message: whatIsFinished(goOn) }
    }
    opened = true
    return { paths, resume, note, close }
  } catch (error) {
    // The first error is the one to tell; the next build finds what could not be deleted now.
    await close({ published: false, keep: true }).catch((failure: unknown) => options.logger.warn(String(failure)))
    throw writeFailure(indexDir, 0, error)
  }
}

/** Every step, also after one that failed; then throws the first failure. */
async function runAll(steps: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of steps) await step().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

async function deleteUnlessLive(indexDir: string, generation: string): Promise<void> {
  if (!(await isLive(indexDir, generation))) await deleteGeneration(indexDir, generation)
}

/** Whether a build of this index was interrupted and can go on. */
export async function isResumable(indexDir: string): Promise<boolean> {
  const journal = await readJournal(path.join(indexDir, BUILD_FOLDER, JOURNAL_NAME))
  return journal !== undefined && journal.entries.length > 0
}

function beginOf(options: ResolvedOptions): BeginEntry {
  return {
    kind: 'begin',
    format: JOURNAL_FORMAT,
    version: packageVersion(),
    options: optionsThatDecide(options),
    source: options.sourceFingerprint ?? '',
    generation: '',
    tempDir: options.tempDir ?? '',
    startedAt: new Date().toISOString(),
  }
}

/** The name in a caller's tempDir follows from the index, so that the next build finds it. */
function spillDirOf(indexDir: string, tempDir: string): string {
  if (tempDir === '') return path.join(indexDir, BUILD_FOLDER, 'spill')
  const hash = createHash('sha256').update(`${os.hostname()} ${indexDir}`).digest('hex')
  return path.join(tempDir, `shardloom-${hash.slice(0, 16)}`)
}

function pathsOf(options: ResolvedOptions, generation: string): BuildPaths {
  const indexDir = options.path
  return {
    indexDir,
    buildDir: path.join(indexDir, BUILD_FOLDER),
    spillDir: spillDirOf(indexDir, options.tempDir ?? ''),
    generation,
    generationDir: path.join(indexDir, generation),
  }
}

/** Undefined when it can go on. */
async function whyAfresh(indexDir: string, { begin }: ReadJournal, now: BeginEntry): Promise<string | undefined> {
  if (begin.format !== now.format || begin.version !== now.version) {
    return `it was made by version ${begin.version}, this is ${now.version}`
  }
  if (begin.options !== now.options) return `its options were ${begin.options}, these are ${now.options}`
  if (begin.tempDir !== now.tempDir) return 'its temporary files are in another folder'
  if (begin.source !== now.source) return 'the source is not the same any more'
  if (!GENERATION_NAME.test(begin.generation)) return 'its journal names no generation'
  if (await isLive(indexDir, begin.generation)) return `it was finished: ${begin.generation} is live`
  for (const folder of [path.join(indexDir, begin.generation), spillDirOf(indexDir, begin.tempDir)]) {
    if (await isLink(folder)) return `${folder} is a link, and nothing is written or deleted behind one`
  }
  return undefined
}

/**
 * A damaged CURRENT must not stand in the way of the build that replaces it, and nobody knows what it said: then a whole
 * generation counts as live, and is neither written to nor deleted.
 */
async function isLive(indexDir: string, generation: string): Promise<boolean> {
  try {
    return (await readCurrent(indexDir))?.generation === generation
  } catch (error) {
    if (error instanceof CorruptIndexError) return isComplete(indexDir, generation)
    throw error
  }
}

/** Deletes what an interrupted build kept. Only folders whose names are of our making: a journal may say anything. */
async function discard(indexDir: string, { generation, tempDir }: BeginEntry): Promise<void> {
  if (tempDir !== '') await removeAll(spillDirOf(indexDir, tempDir))
  if (!GENERATION_NAME.test(generation) || (await isLink(path.join(indexDir, generation)))) return
  await deleteUnlessLive(indexDir, generation)
}

/** What a link leads to was not made here. */
async function isLink(file: string): Promise<boolean> {
  try {
    return (await lstat(file)).isSymbolicLink()
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false
    throw error
  }
}

/**
 * Queues begin with new files, and a manifest is the last file of a generation. What is no file (a folder, a link, a named
 * pipe that nobody writes to) was not made by a build, and is not to be opened by one.
 */
async function clearForResume({ spillDir, generationDir }: BuildPaths): Promise<void> {
  for (const entry of await entriesOf(generationDir)) {
    if (!entry.isFile() || entry.name === MANIFEST_NAME) await removeAll(path.join(generationDir, entry.name))
  }
  for (const entry of await entriesOf(spillDir)) {
    if (!entry.isFile() || !DURABLE_FILE.test(entry.name)) await removeAll(path.join(spillDir, entry.name))
  }
}

async function entriesOf(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true })
  } catch (error) {
    const code = systemErrorCode(error)
    // A file in its way: making the folder says so.
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}

function whatIsFinished(journal: ReadJournal): string {
  const { ingest, shards, segments } = finishedWork(journal)
  const vectors = ingest.at(-1)?.ordinals ?? 0
  return (
    `going on with the build of ${journal.begin.startedAt}, which was interrupted: it had read ${vectors} vectors and ` +
    `finished ${shards.size} shards and ${segments.size} segments`
  )
}

/** With all that is in it. What was never made needs no removing, also when it could not be: a file is in its way. */
async function removeAll(found: string): Promise<void> {
  try {
    await rm(found, { recursive: true, force: true })
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOTDIR') throw error
  }
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true })
  } catch (error) {
    const failure = writeFailure(directory, 0, error)
    if (!(failure instanceof PathError)) throw failure
    throw new PathError(
      directory,
      `cannot be written: ${(error as Error).message}; choose another folder, or fix its permissions`,
      error,
    )
  }
}
