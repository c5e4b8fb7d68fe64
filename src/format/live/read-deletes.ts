import { join } from 'node:path'
import { DELETES_NAME, liveFolder } from './live-paths.js'
import type { Change } from './log-change.js'
import type { LiveSettings, PartEntry } from './parts-file.js'
import { logChanges } from './read-log.js'

/** What a sealed part says is deleted; each change is valid until the next. @throws CorruptIndexError, PathError */
export async function* readDeletes(
  indexDir: string,
  { name, deletes }: PartEntry,
  { dimensions, metric }: LiveSettings,
): AsyncGenerator<Change, void, void> {
  if (deletes === 0) return
  yield* logChanges(join(liveFolder(indexDir), name, DELETES_NAME), { dimensions, metric, sealed: true })
}
