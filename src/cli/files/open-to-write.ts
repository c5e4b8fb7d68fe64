import { stat } from 'node:fs/promises'
import type { LiveEvent } from '../../api/live.js'
import { PathError } from '../../errors.js'
import { readCurrent } from '../../format/generation/current.js'
import { readParts } from '../../format/live/parts-file.js'
import type { LiveIndex } from '../../live/live-index.js'
import { shellWord } from '../../report/shell-word.js'
import type { Terminal } from '../screen/terminal.js'

/** What needs no attention on a screen: it is in the numbers at the end. */
const USUAL: ReadonlySet<LiveEvent['kind']> = new Set(['sealed', 'merged', 'compacted', 'took-over', 'write-waits'])

interface Saying {
  readonly terminal: Terminal
  readonly verbose: boolean
}

/**
 * Opens an index for a command that changes it. The log is synced every second, and when it is closed: a command has
 * done nothing before it ends. @throws as `openIndex`
 */
export async function openToWrite(path: string, { terminal, verbose }: Saying): Promise<LiveIndex> {
  // Loaded here, so that other commands start faster.
  const { openIndex } = await import('../../live/open-index.js')
  return openIndex(path, {
    write: true,
    durability: { everyMs: 1000 },
    onEvent: ({ kind, message }) => {
      if (!USUAL.has(kind)) terminal.warn(message)
      else if (verbose) terminal.log(message)
    },
  })
}

/** Whether there is a plain file that can be seen. */
export async function isFile(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined)
  return stats?.isFile() === true
}

/** @throws PathError that names the fix when there is no index at `path` */
export async function assertIndex(path: string, command: string): Promise<void> {
  if ((await readCurrent(path)) !== undefined || (await readParts(path)) !== undefined) return
  if (await isFile(path)) {
    throw new PathError(path, `it is a file, not an index; the index directory comes first: shardloom ${command} DIR …`)
  }
  const create = `shardloom create ${shellWord(path)} --dimensions N --metric M`
  throw new PathError(
    path,
    `there is no index here; make one with shardloom build <input> --out ${shellWord(path)}, or an empty one with ${create}`,
  )
}
