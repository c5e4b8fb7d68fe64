import { CorruptIndexError, IndexLockedError, InvalidOptionError } from '../../errors.js'
import { areSameFields, fieldsText } from '../../fields/same-fields.js'
import type { Field } from '../../fields/field.js'
import { readCurrent } from '../../format/generation/current.js'
import { acquireLock, type Lock } from '../../format/generation/lock.js'
import { loadManifest } from '../../format/generation/read-manifest.js'
import { lastSequence } from '../../format/live/last-sequence.js'
import { LIVE_FOLDER } from '../../format/live/live-paths.js'
import { readParts } from '../../format/live/parts-file.js'
import type { Uses } from './run.js'

/**
 * Runs a build. One that gives the index other fields holds the lock of writers meanwhile: a change that came after its
 * beginning would lie on rows of other fields, and nothing could open the index.
 * @throws InvalidOptionError when a writer has the index open, or the index has changes that the build has not
 */
export async function withOtherFields<Result>(
  run: Uses<'options' | 'liveSequence' | 'log'>,
  body: () => Promise<Result>,
): Promise<Result> {
  const { path, fields } = run.options
  const others = await otherFields(path, fields)
  if (others === undefined) return body()
  const differs = `this build has ${fieldsText(fields)}, and ${path} has ${fieldsText(others)}`
  const lock = await lockOfWriters(path, differs)
  try {
    const last = await lastSequence(path)
    if (last > run.liveSequence) {
      throw new InvalidOptionError(
        `${differs}; its changes go up to ${last}, and the build has those up to ${run.liveSequence}: build from a source ` +
          'that has all of them, not resuming an older build (resume: false), or build with the same fields',
      )
    }
    return await body()
  } finally {
    await release(run, lock)
  }
}

/** The build has ended by now: an error here would hide how, and a published generation would look like a failure. */
async function release({ log }: Uses<'log'>, lock: Lock): Promise<void> {
  try {
    await lock.release()
  } catch (error) {
    log.event('lock-kept', `the lock of writers could not be deleted: ${String(error)}`)
  }
}

/** The fields that the index has by now, where they are others. */
async function otherFields(
  indexDir: string,
  fields: readonly Field[] | undefined,
): Promise<readonly Field[] | undefined> {
  const parts = await readParts(indexDir)
  if (parts !== undefined && !areSameFields(parts.settings.fields, fields)) return parts.settings.fields ?? []
  try {
    if ((await readCurrent(indexDir)) === undefined) return undefined
    const { manifest } = await loadManifest(indexDir)
    return areSameFields(manifest.fields, fields) ? undefined : (manifest.fields ?? [])
  } catch (error) {
    // A build replaces a damaged generation, and a damaged CURRENT: no writer can open them.
    if (error instanceof CorruptIndexError) return undefined
    throw error
  }
}

async function lockOfWriters(indexDir: string, differs: string): Promise<Lock> {
  try {
    return await acquireLock(indexDir, LIVE_FOLDER)
  } catch (error) {
    if (!(error instanceof IndexLockedError)) throw error
    throw new InvalidOptionError(
      `${differs}, which its writer goes on with: end that first, or build with the same fields (${error.message})`,
    )
  }
}
