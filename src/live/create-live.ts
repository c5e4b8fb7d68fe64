/** The first files of `live/`. */
import { join } from 'node:path'
import type { LiveGeneration } from '../format/generation/read-manifest.js'
import { writeDeadRows } from '../format/live/dead-rows-file.js'
import { liveFolder, logName } from '../format/live/live-paths.js'
import { LogWriter } from '../format/live/log-writer.js'
import { withFields, writeParts, type LiveSettings } from '../format/live/parts-file.js'

/** What parts and compactions of a built index are made with: what it was built with. */
export function settingsOf({ manifest }: LiveGeneration): LiveSettings {
  const { dimensions, metric, m, quantization, seed, distinctIds, fields, report } = manifest
  const quality = report.quality === 'imported' ? 'auto' : report.quality
  const repeatedIds = distinctIds !== undefined && ({ repeatedIds: true } as const)
  return withFields({ dimensions, metric, m, quantization, quality, seed, ...repeatedIds }, fields)
}

/** The caller holds the lock. `base`: the live generation, and the last change that it contains. */
export async function createLive(
  indexDir: string,
  settings: LiveSettings,
  base: { readonly generation: string; readonly liveSequence: number },
): Promise<void> {
  const [firstLog, deadNumber, nextNumber] = [1, 2, 3]
  const { dimensions, metric } = settings
  const coveredSequence = base.liveSequence
  const path = join(liveFolder(indexDir), logName(firstLog))
  const facts = { dimensions, metric, number: firstLog, firstSequence: coveredSequence + 1, chain: 0 }
  await (await LogWriter.create(path, facts)).close()
  const dead = await writeDeadRows(indexDir, deadNumber, [new Uint32Array(0)])
  const none = { base: base.generation, parts: [], dead }
  await writeParts(indexDir, { settings, coveredSequence, firstLog, nextNumber, ...none })
}
