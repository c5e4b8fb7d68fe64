/** Names in `live/`, the folder of changes since the last build. Numbers are given once, in order, to all of them. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { readFailure } from '../bytes/file-errors.js'

export const LIVE_FOLDER = 'live'
export const PARTS_NAME = 'PARTS'
/** In the folder of a part without a graph: its rows, as a log. */
export const ROWS_NAME = 'rows.log'
/** In the folder of any part: ids that were deleted, as a log. Absent when there are none. */
export const DELETES_NAME = 'deletes.log'
/** In the folder of a part with a graph: the sequence of each row. */
export const SEQUENCES_NAME = 'sequences'
/** What a compaction reads, in the form of PARTS: these parts must stay until it ends. */
export const COMPACTING_NAME = 'COMPACTING'

const DIGITS = 6
export const LOG_NAME_PATTERN = /^log-(\d{6,15})\.log$/
export const PART_NAME_PATTERN = /^part-\d{6,15}$/
export const DEAD_NAME_PATTERN = /^dead-\d{6,15}$/

const numbered = (number: number): string => String(number).padStart(DIGITS, '0')

export const logName = (number: number): string => `log-${numbered(number)}.log`
export const partName = (number: number): string => `part-${numbered(number)}`
export const deadName = (number: number): string => `dead-${numbered(number)}`

/** Written, synced and then renamed. */
export const temporaryOf = (name: string): string => `${name}.tmp`

export const liveFolder = (indexDir: string): string => join(indexDir, LIVE_FOLDER)

/** The numbers in names that are there: of logs, parts and files of dead rows. @throws PathError, CorruptIndexError */
export async function numbersIn(folder: string): Promise<number[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw readFailure(folder, error)
  })
  return names.flatMap((name) => {
    const isOwn = [LOG_NAME_PATTERN, PART_NAME_PATTERN, DEAD_NAME_PATTERN].some((pattern) => pattern.test(name))
    return isOwn ? Number(/\d+/.exec(name)?.[0]) : []
  })
}
