import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFailure } from '../format/bytes/file-errors.js'
import {
  COMPACTING_NAME,
  DEAD_NAME_PATTERN,
  liveFolder,
  LOG_NAME_PATTERN,
  PART_NAME_PATTERN,
  PARTS_NAME,
  temporaryOf,
} from '../format/live/live-paths.js'
import { readParts, type Parts } from '../format/live/parts-file.js'

/**
 * Deletes what PARTS does not name any more: logs that are sealed, parts that were merged, leftovers of interrupted
 * seals. What a compaction reads stays until it ends, or until another build has made it useless. Only names that a
 * writer gives are deleted. The caller holds the lock. @throws PathError, FileFailedError, CorruptIndexError
 */
export async function cleanLive(indexDir: string, parts: Parts): Promise<void> {
  try {
    await deleteUnnamed(indexDir, parts)
  } catch (error) {
    throw writeFailure(liveFolder(indexDir), 0, error)
  }
}

async function deleteUnnamed(indexDir: string, parts: Parts): Promise<void> {
  const folder = liveFolder(indexDir)
  const pinned = await readParts(indexDir, COMPACTING_NAME)
  const isPinned = pinned?.base === parts.base
  const kept = new Set([parts.dead.name, ...parts.parts.map(({ name }) => name)])
  if (isPinned) for (const name of [pinned.dead.name, ...pinned.parts.map((part) => part.name)]) kept.add(name)
  for (const name of await readdir(folder)) {
    const log = LOG_NAME_PATTERN.exec(name)?.[1]
    const isOld =
      log === undefined
        ? (PART_NAME_PATTERN.test(name) || DEAD_NAME_PATTERN.test(name)) && !kept.has(name)
        : Number(log) < parts.firstLog
    // The other temporary file may be in the making.
    const isLeft = name === temporaryOf(PARTS_NAME) || (name === COMPACTING_NAME && !isPinned)
    if (isOld || isLeft) await rm(join(folder, name), { recursive: true, force: true })
  }
}

/** Names of parts that a compaction reads. */
export async function pinnedParts(indexDir: string, base: string): Promise<ReadonlySet<string>> {
  const pinned = await readParts(indexDir, COMPACTING_NAME)
  return new Set(pinned?.base === base ? pinned.parts.map(({ name }) => name) : [])
}
