import type { CompactOptions } from '../api/live.js'
import { readCurrent } from '../format/generation/current.js'
import { loadManifest } from '../format/generation/read-manifest.js'
import { lastSequence } from '../format/live/last-sequence.js'
import { COMPACTING_NAME } from '../format/live/live-paths.js'
import { readParts } from '../format/live/parts-file.js'
import { isResumable } from '../pipeline/run/workspace.js'

/**
 * Why a compaction would build the live generation again, as a sentence; undefined when it would not.
 * `sealed`: count what is sealed only. @throws CorruptIndexError, PathError
 */
export async function whyNothingToCompact(
  indexDir: string,
  { quality, quantization, sealed = false }: CompactOptions & { readonly sealed?: boolean },
): Promise<string | undefined> {
  // A compaction that was interrupted goes on.
  if ((await readParts(indexDir, COMPACTING_NAME)) !== undefined && (await isResumable(indexDir))) return undefined
  if ((await readCurrent(indexDir)) === undefined) return undefined
  const { liveSequence = 0, report, quantization: built } = (await loadManifest(indexDir)).manifest
  if (quantization !== undefined && quantization !== built) return undefined
  if (quality !== undefined && quality !== 'auto' && quality !== report.quality) return undefined
  const parts = await readParts(indexDir)
  if (parts === undefined) return 'nothing was changed since it was built'
  if (sealed && parts.coveredSequence <= liveSequence) {
    return 'the process that writes to it has sealed nothing since the last build; it does so within maxAgeSeconds'
  }
  return (await lastSequence(indexDir)) <= liveSequence ? 'nothing was changed since it was built' : undefined
}
