import { InvalidOptionError } from '../../errors.js'
import { readCurrent } from '../../format/generation/current.js'
import { loadManifest } from '../../format/generation/read-manifest.js'
import { lastSequence } from '../../format/live/last-sequence.js'

/**
 * The last change in `live/` that the source contains, or that the build replaces: what the caller says, else all that
 * are in the log by now. The caller holds the lock: nothing else is published meanwhile.
 * @throws InvalidOptionError for a change that does not exist, and when changes after it are in the live generation only
 */
export async function liveSequenceOf(indexDir: string, asked: number | undefined): Promise<number> {
  const last = await lastSequence(indexDir)
  if (asked === undefined) return last
  const contained = await containedSequence(indexDir)
  if (asked > Math.max(last, contained)) {
    throw new InvalidOptionError(
      `liveSequence is ${asked}, and the last change of ${indexDir} is ${Math.max(last, contained)}: read live.sequence ` +
        'of this index before its source is read, and pass that',
    )
  }
  if (asked < contained) {
    throw new InvalidOptionError(
      `liveSequence is ${asked}, and the live generation of ${indexDir} has the changes up to ${contained}, which would ` +
        'be lost: it was built or compacted since; read live.sequence and the source again',
    )
  }
  return asked
}

async function containedSequence(indexDir: string): Promise<number> {
  if ((await readCurrent(indexDir)) === undefined) return 0
  return (await loadManifest(indexDir)).manifest.liveSequence ?? 0
}
