import { createHash, randomUUID } from 'node:crypto'
import { lstat, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { CorruptIndexError, PathError } from '../../errors.js'
import { readCurrent } from '../../format/generation/current.js'
import { systemErrorCode, writeFailure } from '../../format/bytes/file-errors.js'
import { deleteGeneration, GENERATION_NAME, isComplete, nextGeneration } from '../../format/generation/generations.js'
import { acquireLock, BUILD_FOLDER } from '../../format/generation/lock.js'
import { MANIFEST_NAME } from '../../format/generation/manifest.js'
import { entriesOf, foreignNameIn } from '../../format/generation/own-generation.js'
import {
  Journal,
  JOURNAL_FORMAT,
  JOURNAL_NAME,
  readJournal,
  type BeginEntry,
  type ReadJournal,
} from '../resume/journal.js'
import { makeFolder } from '../../../spill/files/make-folder.js'
import { claimFolder, SPILL_FOLDER } from './claim-folder.js'
import { packageVersion } from '../../host/package-version.js'
import type { ResolvedOptions } from '../../options/resolve-options.js'
import { finishedWork, optionsThatDecide, type Resume } from '../resume/resume.js'
import type { BuildPaths } from './run.js'
import { liveSequenceOf } from './live-sequence.js'
import type { SourceOfRun } from './source-of-run.js'

/** The folders of one build, protected by its lock. */
export interface Workspace {
  readonly paths: BuildPaths
  readonly resume: Resume | undefined
  /** The last change in `live/` that the source contains or replaces. */
  readonly liveSequence: number
  /** Says whether an interrupted build was resumed; undefined when there was none. */
  readonly note: { readonly kind: string; readonly message: string } | undefined
  /**
   * Deletes everything temporary, and the new generation unless it was published. Releases the lock. With `keep`, files
   * that a later build can resume from stay, if there are any. Idempotent. When something cannot be deleted, it throws
   * after everything else is deleted. Once the new generation is live, it logs this instead, because the build did not
   * fail.
   */
  close(outcome: { published: boolean; keep: boolean }): Promise<void>
}

/**
 * Files that a build resumes from: rows, ids, fields, and graph rows of finished shards. Files of other queues are made again.
 */
const DURABLE_FILE = /^(?:(?:ingest|ids|fields)-\d{6}\.spill|base-graph-\d+\.rows)$/

/**
 * Makes the folders and takes the lock. Reuses what an interrupted build of the same index left, or deletes it. Throws
 * PathError when the output cannot be written or is a folder of other files, and IndexLockedError.
 */
export async function openWorkspace(
  options: ResolvedOptions,
  { isResumable: resumable, liveSequence: given, base }: SourceOfRun,
): Promise<Workspace> {
  const indexDir = options.path
  await claimFolder(indexDir, options.force)
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
      // The generation that CURRENT names is never deleted, whatever went wrong.
      if (!published) steps.push(async () => deleteUnlessLive(indexDir, generation, options))
    }
    await runAll(steps)
  }
  const close = async ({ published, keep }: { published: boolean; keep: boolean }): Promise<void> => {
    if (closed) return
    closed = true
    // Until this build has begun, the journal on disk belongs to another build.
    const hasUnits = async (): Promise<boolean> => (opened ? journal?.hasUnits === true : isResumable(indexDir))
    try {
      await runAll([
        async () => journal?.close(),
        async () => {
          if (!(keep && (await hasUnits()))) await clear(published)
        },
        // Also removes the folders that the lock made, if they are empty: a refused first build leaves nothing behind.
        async () => lock.release(),
      ])
    } catch (error) {
      const failure = writeFailure(indexDir, 0, error)
      if (!published) throw failure
      options.logger.warn(`the build is done, but not all that was temporary could be deleted: ${String(failure)}`)
    }
  }
  try {
    await assertBase(indexDir, base)
    const asked = given ?? options.liveSequence
    const begin = beginOf(options, given ?? (await liveSequenceOf(indexDir, asked)))
    const left = await readJournal(journalPath)
    const obstacle =
      left && (resumable ? await whyAfresh(indexDir, left, begin, asked) : `resuming is off for this build`)
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
        await discard(options, left.begin)
      }
      // Files of a killed build that kept no journal.
      await removeAll(path.join(buildDir, SPILL_FOLDER))
      await removeAll(journalPath)
      paths = pathsOf(options, await nextGeneration(indexDir))
      if (resumable) await removeAll(paths.spillDir)
    }
    await makeDirectory(paths.spillDir)
    await makeDirectory(paths.generationDir)
    let resume: Resume | undefined
    let { liveSequence = 0 } = begin
    if (resumable) {
      const goOn = obstacle === undefined ? left : undefined
      journal = await Journal.open(journalPath, goOn ?? { ...begin, generation: paths.generation })
      resume = { journal, finished: goOn && finishedWork(goOn), reused: { vectors: 0, shards: 0, segments: 0 } }
      if (goOn !== undefined) liveSequence = goOn.begin.liveSequence ?? 0
      if (goOn !== undefined) note = { kind: 'resumed', message: whatIsFinished(goOn) }
    }
    opened = true
    return { paths, resume, liveSequence, note, close }
  } catch (error) {
    // Report the first error. The next build finds what could not be deleted now.
    await close({ published: false, keep: true }).catch((failure: unknown) => options.logger.warn(String(failure)))
    throw writeFailure(indexDir, 0, error)
  }
}

/** Nothing is published while the lock is held. @throws PathError */
async function assertBase(indexDir: string, base: string | undefined): Promise<void> {
  if (base === undefined) return
  const live = (await readCurrent(indexDir))?.generation ?? ''
  if (live !== base) throw new PathError(indexDir, `${live} was published, and the vectors were read from ${base}`)
}

/** Runs every step, even after one fails; then throws the first failure. */
async function runAll(steps: readonly (() => Promise<void>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const step of steps) await step().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

/** Warns of a folder that was left alone because it holds files that no build wrote. */
async function deleteUnlessLive(indexDir: string, generation: string, { logger }: ResolvedOptions): Promise<void> {
  if (await isLive(indexDir, generation)) return
  const foreign = await deleteGeneration(indexDir, generation)
  if (foreign !== undefined) logger.warn(`${path.join(indexDir, generation)} is not deleted: ${foreign}`)
}

/** Whether a build of this index was interrupted and can be resumed. */
export async function isResumable(indexDir: string): Promise<boolean> {
  const journal = await readJournal(path.join(indexDir, BUILD_FOLDER, JOURNAL_NAME))
  return journal !== undefined && journal.entries.length > 0
}

function beginOf(options: ResolvedOptions, liveSequence: number): BeginEntry {
  return {
    kind: 'begin',
    format: JOURNAL_FORMAT,
    version: packageVersion(),
    options: optionsThatDecide(options),
    source: options.sourceFingerprint ?? '',
    generation: '',
    tempDir: options.tempDir ?? '',
    startedAt: new Date().toISOString(),
    ...(liveSequence > 0 && { liveSequence }),
  }
}

/** In a caller's tempDir the name is derived from the index, so that the next build finds it. */
function spillDirOf(indexDir: string, tempDir: string): string {
  if (tempDir === '') return path.join(indexDir, BUILD_FOLDER, SPILL_FOLDER)
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
    runSuffix: options.cluster === undefined ? '' : `-${randomUUID().slice(0, 8)}`,
  }
}

/** Why the build cannot be resumed; undefined when it can. `asked`: the last change that the caller says is in the source. */
async function whyAfresh(
  indexDir: string,
  { begin }: ReadJournal,
  now: BeginEntry,
  asked: number | undefined,
): Promise<string | undefined> {
  if (begin.format !== now.format || begin.version !== now.version) {
    return `it was made by version ${begin.version}, this is ${now.version}`
  }
  if (begin.options !== now.options) return `its options were ${begin.options}, these are ${now.options}`
  if (begin.tempDir !== now.tempDir) return 'its temporary files are in another folder'
  if (begin.source !== now.source) return 'the source is not the same any more'
  if (asked !== undefined && asked !== (begin.liveSequence ?? 0)) {
    return `its source had the changes up to ${begin.liveSequence ?? 0}, this one has those up to ${asked}`
  }
  if (!GENERATION_NAME.test(begin.generation)) return 'its journal names no generation'
  if (await isLive(indexDir, begin.generation)) return `it was finished: ${begin.generation} is live`
  for (const folder of [path.join(indexDir, begin.generation), spillDirOf(indexDir, begin.tempDir)]) {
    if (await isLink(folder)) return `${folder} is a link, and nothing is written or deleted behind one`
  }
  const foreign = await foreignNameIn(path.join(indexDir, begin.generation))
  if (foreign !== undefined) return `${begin.generation} holds ${foreign}, which no build wrote`
  return undefined
}

/**
 * A damaged CURRENT must not block the build that replaces it, and the generation it named is unknown. A complete
 * generation then counts as live, and is neither written to nor deleted.
 */
async function isLive(indexDir: string, generation: string): Promise<boolean> {
  try {
    return (await readCurrent(indexDir))?.generation === generation
  } catch (error) {
    if (error instanceof CorruptIndexError) return isComplete(indexDir, generation)
    throw error
  }
}

/**
 * Deletes what an interrupted build kept. Deletes only folders whose names a build makes, because a journal may contain
 * anything.
 */
async function discard(options: ResolvedOptions, { generation, tempDir }: BeginEntry): Promise<void> {
  const indexDir = options.path
  if (tempDir !== '') await removeAll(spillDirOf(indexDir, tempDir))
  if (!GENERATION_NAME.test(generation) || (await isLink(path.join(indexDir, generation)))) return
  await deleteUnlessLive(indexDir, generation, options)
}

/** A build did not make the target of a link. */
async function isLink(file: string): Promise<boolean> {
  try {
    return (await lstat(file)).isSymbolicLink()
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false
    throw error
  }
}

/**
 * Queues begin with new files, and a manifest is the last file of a generation. A build makes only plain files here.
 * Anything else (a folder, a link, a named pipe without a writer) must not be opened.
 */
async function clearForResume({ spillDir, generationDir }: BuildPaths): Promise<void> {
  for (const entry of await entriesOf(generationDir)) {
    if (!entry.isFile() || entry.name === MANIFEST_NAME) await removeAll(path.join(generationDir, entry.name))
  }
  for (const entry of await entriesOf(spillDir)) {
    if (!entry.isFile() || !DURABLE_FILE.test(entry.name)) await removeAll(path.join(spillDir, entry.name))
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

/**
 * Deletes a file, or a folder with its contents. It is no error when the path does not exist, even if a parent is a
 * file. A host of an earlier run may put a file into a folder between its contents and itself: then once more.
 */
async function removeAll(found: string): Promise<void> {
  try {
    await rm(found, { recursive: true, force: true, maxRetries: 3 })
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOTDIR') throw error
  }
}

async function makeDirectory(directory: string): Promise<void> {
  try {
    await makeFolder(directory)
  } catch (error) {
    const failure = writeFailure(directory, 0, error)
    if (!(failure instanceof PathError) || failure === error) throw failure
    throw new PathError(
      directory,
      `cannot be written: ${(error as Error).message}; choose another folder, or fix its permissions`,
      error,
    )
  }
}
