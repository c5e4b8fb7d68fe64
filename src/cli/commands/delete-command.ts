import type { LiveFacts } from '../../api/live.js'
import type { Id } from '../../api/vectors.js'
import { AbortedError, InvalidOptionError } from '../../errors.js'
import type { LiveIndex } from '../../live/live-index.js'
import type { DELETE_COMMAND_OPTIONS } from '../../options/live-command-options.js'
import { countText, plural, rateText, tookText } from '../../report/number-text.js'
import { readIdLines } from '../../sources/lines/read-id-lines.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { has, idOfArgument, integerInstead, integersExpected } from '../files/id-kinds.js'
import { assertIndex, isFile, openToWrite } from '../files/open-to-write.js'
import { interruptible } from '../interruptible.js'
import { changesLine, liveJson } from '../print/live-lines.js'
import { StatusLine } from '../screen/status-line.js'
import type { Session } from '../session.js'

type DeleteFlags = OptionsOf<typeof DELETE_COMMAND_OPTIONS>

interface Deleted {
  readonly deleted: number
  /** Ids that the index had not. */
  readonly missing: number
  readonly seconds: number
  readonly count: number
  readonly live: LiveFacts
}

export const deleteCommand: CommandBody<DeleteFlags, Deleted> = { run, print, json }

async function run(flags: DeleteFlags, { terminal }: Session): Promise<Deleted> {
  const { path, ids, id: words = [], quiet, verbose } = flags
  const given = typeof words === 'string' ? [words] : words
  if (ids === undefined && given.length === 0) {
    throw new InvalidOptionError('no ids: name them after the index, or pass --ids FILE; see shardloom delete --help')
  }
  await assertIndex(path, 'delete')
  const index = await openToWrite(path, { terminal, verbose })
  try {
    const status = new StatusLine(terminal, quiet)
    return await interruptible(terminal, (signal) => deleteIds(index, given, ids, signal, status))
  } finally {
    // What was deleted is on the device then.
    await index.close()
  }
}

async function deleteIds(
  index: LiveIndex,
  words: readonly string[],
  file: string | undefined,
  signal: AbortSignal,
  status: StatusLine,
): Promise<Deleted> {
  const startedMs = performance.now()
  let [deleted, read] = [0, 0]
  const remove = async (ids: readonly Id[]): Promise<void> => {
    read += ids.length
    deleted += (await index.delete(ids)).count
    const seconds = (performance.now() - startedMs) / 1000
    status.show(() => `delete  ${countText(read)} ids  ${rateText(read / seconds)}`)
    if (!signal.aborted) return
    const stay = `${plural(deleted, 'vector')} had been deleted; the same command again does the rest`
    throw new AbortedError(signal.reason, `the delete was interrupted; ${stay}`)
  }
  if (words.length > 0) {
    const ids = words.map((word) => idOfArgument(index, word))
    await refuseFiles(index, ids)
    await remove(ids)
  }
  if (file !== undefined) {
    for await (const ids of readIdLines(file)) {
      // Nothing of the file is deleted when it is of the other kind.
      const instead = deleted > 0 ? undefined : firstInteger(index, ids)
      if (instead !== undefined) throw integersExpected(index.path, file, instead)
      await remove(ids)
    }
  }
  const { count, live } = index
  const seconds = Math.round(performance.now() - startedMs) / 1000
  return { deleted, missing: read - deleted, seconds, count, live }
}

/** @throws InvalidOptionError for an argument that is no id of the index, but the name of a file */
async function refuseFiles(index: LiveIndex, ids: readonly Id[]): Promise<void> {
  for (const id of ids) {
    if (typeof id !== 'string' || has(index, id) || !(await isFile(id))) continue
    throw new InvalidOptionError(
      `${index.path} has no id ${id}, and there is a file of this name: pass it as --ids ${id}`,
    )
  }
}

/** The first integer that the index has in place of a text id, when it has none of the ids as they are. */
function firstInteger(index: LiveIndex, ids: readonly Id[]): number | undefined {
  let found: number | undefined
  for (const id of ids) {
    if (has(index, id)) return undefined
    found ??= integerInstead(index, id)
  }
  return found
}

function print({ deleted, missing, seconds, count, live }: Deleted, { path, quiet }: DeleteFlags): string[] {
  if (quiet) return []
  const left = missing === 0 ? '' : `; ${countText(missing)} of the ids were not in it`
  return [
    `deleted ${plural(deleted, 'vector')} in ${tookText(seconds)}${left}; ${countText(count)} in ${path}`,
    changesLine(path, live),
  ]
}

function json({ live, ...report }: Deleted, { path }: DeleteFlags): object {
  return { path, ...report, live: liveJson(live) }
}
