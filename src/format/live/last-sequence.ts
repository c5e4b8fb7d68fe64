import { join } from 'node:path'
import { liveFolder, logName } from './live-paths.js'
import { logNumbers } from './log-numbers.js'
import { readParts } from './parts-file.js'
import { readLog } from './read-log.js'

/** The last change that is in the log by now; 0 when the index was never written to. @throws CorruptIndexError */
export async function lastSequence(indexDir: string): Promise<number> {
  for (;;) {
    const parts = await readParts(indexDir)
    if (parts === undefined) return 0
    const { dimensions, metric } = parts.settings
    const number = (await logNumbers(indexDir)).at(-1)
    if (number === undefined) return parts.coveredSequence
    const expected = { dimensions, metric, number, newest: true }
    const end = await readLog(join(liveFolder(indexDir), logName(number)), expected, () => undefined)
    // A writer may have sealed this log, and deleted it, while it was read.
    if (JSON.stringify(await readParts(indexDir)) === JSON.stringify(parts)) {
      return Math.max(parts.coveredSequence, end.lastSequence)
    }
  }
}
