/**
 * Decides whether a build may use a folder: before the build writes anything there. What a build deletes or replaces in
 * its index directory must prove to be a build's; other people's files stay, also those that have our names.
 */
import type { Dirent } from 'node:fs'
import path from 'node:path'
import { CorruptIndexError, PathError } from '../../errors.js'
import { writeFailure } from '../../format/bytes/file-errors.js'
import { CURRENT_NAME, CURRENT_TEMPORARY_NAME, readCurrent } from '../../format/generation/current.js'
import { GENERATION_NAME } from '../../format/generation/generations.js'
import { BUILD_FOLDER, LOCK_NAME, readHolder, TAKEOVER_NAME } from '../../format/generation/lock.js'
import { entriesOf, whyNotOurs } from '../../format/generation/own-generation.js'
import { readParts } from '../../format/live/parts-file.js'
import { JOURNAL_NAME, readJournal } from '../resume/journal.js'

export const SPILL_FOLDER = 'spill'
/** Files of queues, graph rows of shards, grid rows of a layer. */
const SPILL_FILE = /^[\w.-]+(?:-\d{6}\.spill|-graph-\d+\.rows|-codes\.bin)$/
/** Hidden files, and what a new disk has: a folder with nothing else is empty. */
const UNCOUNTED_NAME = /^(?:\..*|lost\+found)$/
const NAMED_AT_MOST = 3

/**
 * Refuses a folder that is not empty and is no index, unless `force`; and in any case one in which the build would
 * replace a file that is not a build's.
 * @throws PathError
 */
export async function claimFolder(indexDir: string, force: boolean): Promise<void> {
  try {
    const entries = await entriesOf(indexDir)
    const found = entries.filter(({ name }) => !UNCOUNTED_NAME.test(name))
    if (found.length === 0 || (await isIndex(indexDir, found))) return
    const foreign = await foreignAmong(indexDir, found)
    if (foreign.length > 0 && !force) throw notEmpty(indexDir, foreign)
    await refuseReplaced(indexDir, foreign)
  } catch (error) {
    throw writeFailure(indexDir, 0, error)
  }
}

function notEmpty(indexDir: string, foreign: readonly string[]): PathError {
  const more = foreign.length > NAMED_AT_MOST ? `, and ${foreign.length - NAMED_AT_MOST} more` : ''
  return new PathError(
    indexDir,
    `this folder is no index and not empty: it holds ${foreign.slice(0, NAMED_AT_MOST).join(', ')}${more}; name ` +
      'another folder, or pass --force (force: true) to build beside these files, which stay as they are',
  )
}

/** Whether a build was here: a live generation, a build in progress or interrupted, or files that a build made. */
async function isIndex(indexDir: string, found: readonly Dirent[]): Promise<boolean> {
  if ((await currentOf(indexDir)) !== undefined || (await isWritten(indexDir))) return true
  const buildDir = path.join(indexDir, BUILD_FOLDER)
  if ((await readHolder(path.join(buildDir, LOCK_NAME))) !== undefined) return true
  if ((await readJournal(path.join(buildDir, JOURNAL_NAME))) !== undefined) return true
  const spilled = await entriesOf(path.join(buildDir, SPILL_FOLDER))
  if (spilled.length > 0 && spilled.every(({ name }) => SPILL_FILE.test(name))) return true
  for (const entry of found) if (await isFilledGeneration(indexDir, entry)) return true
  return false
}

/** Whether it has changes: an index that was never built begins with them. */
async function isWritten(indexDir: string): Promise<boolean> {
  try {
    return (await readParts(indexDir)) !== undefined
  } catch (error) {
    if (error instanceof CorruptIndexError) return false
    throw error
  }
}

/** The live generation; undefined when there is none, or CURRENT is not a build's or damaged. */
async function currentOf(indexDir: string): Promise<string | undefined> {
  try {
    return (await readCurrent(indexDir))?.generation
  } catch (error) {
    if (error instanceof CorruptIndexError) return undefined
    throw error
  }
}

async function isFilledGeneration(indexDir: string, entry: Dirent): Promise<boolean> {
  if (!entry.isDirectory() || !GENERATION_NAME.test(entry.name)) return false
  const directory = path.join(indexDir, entry.name)
  return (await whyNotOurs(directory, entry.name)) === undefined && (await entriesOf(directory)).length > 0
}

/** Names that a build did not make, for all that can be told. */
async function foreignAmong(indexDir: string, found: readonly Dirent[]): Promise<string[]> {
  const foreign: string[] = []
  for (const { name } of found) {
    const inside = path.join(indexDir, name)
    const empty = GENERATION_NAME.test(name) && (await whyNotOurs(inside, name)) === undefined
    // Another build may be starting: its lock is not written yet.
    const starting = name === BUILD_FOLDER && (await entriesOf(inside)).every((entry) => isLockName(entry.name))
    if (!empty && !starting) foreign.push(name)
  }
  return foreign
}

const isLockName = (name: string): boolean => name === LOCK_NAME || name === TAKEOVER_NAME

/** With `force` too: a build writes to these names. */
async function refuseReplaced(indexDir: string, foreign: readonly string[]): Promise<void> {
  const replaced: string[] = foreign.filter((name) => name === CURRENT_NAME || name === CURRENT_TEMPORARY_NAME)
  if (foreign.includes(BUILD_FOLDER)) {
    const taken = await entriesOf(path.join(indexDir, BUILD_FOLDER))
    const ours = new Set([LOCK_NAME, TAKEOVER_NAME, JOURNAL_NAME, SPILL_FOLDER])
    for (const { name } of taken) if (ours.has(name)) replaced.push(path.join(BUILD_FOLDER, name))
  }
  if (replaced.length === 0) return
  throw new PathError(
    path.join(indexDir, replaced[0]),
    'no build wrote this, and a build would replace it; move it away, or name another folder',
  )
}
