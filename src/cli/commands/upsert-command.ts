import type { LiveFacts } from '../../api/live.js'
import type { VectorBatch } from '../../api/vectors.js'
import { AbortedError, InvalidFileError, InvalidOptionError } from '../../errors.js'
import type { LiveIndex } from '../../live/live-index.js'
import { ValidRows } from '../../live/records/valid-rows.js'
import type { UPSERT_COMMAND_OPTIONS } from '../../options/live-command-options.js'
import { countText, plural, rateText, tookText } from '../../report/number-text.js'
import { LIVE_LIMITS, memoryRows } from '../../search/live/limits.js'
import { canHaveFields, openVectorFiles } from '../../sources/open-vector-file.js'
import type { VectorFile } from '../../sources/vector-file.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { fieldsOfIndex, fieldsToUpsert } from '../files/fields-of-index.js'
import { assertSameKind, withIdsAdvice } from '../files/id-kinds.js'
import { assertIndex, openToWrite } from '../files/open-to-write.js'
import { interruptible } from '../interruptible.js'
import { changesLine, liveJson } from '../print/live-lines.js'
import { StatusLine } from '../screen/status-line.js'
import type { Terminal } from '../screen/terminal.js'
import type { Session } from '../session.js'

type UpsertFlags = OptionsOf<typeof UPSERT_COMMAND_OPTIONS>

interface Upserted {
  readonly upserted: number
  /** Of them, those whose id was there; with an id that is given twice its first vector too. */
  readonly replaced: number
  readonly skipped: number
  readonly seconds: number
  /** Vectors in the index now. */
  readonly count: number
  readonly live: LiveFacts
}

export const upsertCommand: CommandBody<UpsertFlags, Upserted> = { run, print, json }

async function run(flags: UpsertFlags, { terminal }: Session): Promise<Upserted> {
  const inputs = inputsOf(flags)
  await assertIndex(flags.path, 'upsert')
  return withIdsAdvice(inputs, () => upsertInputs(inputs, flags, terminal))
}

async function upsertInputs(inputs: readonly string[], flags: UpsertFlags, terminal: Terminal): Promise<Upserted> {
  const { path, invalid, quiet, verbose } = flags
  const file = await openInputs(inputs, flags, terminal)
  try {
    const index = await openToWrite(path, { terminal, verbose })
    try {
      if (inputs.includes('-') && process.stdin.isTTY && !quiet) {
        terminal.log('reading JSON lines from the terminal: {"id": "a", "vector": [1, 2]}; Ctrl-D ends')
      }
      const status = new StatusLine(terminal, quiet)
      return await interruptible(terminal, (signal) => upsertFile(index, file, { path, invalid, signal, status }))
    } finally {
      // What was written is on the device then.
      await index.close()
    }
  } finally {
    await file.close()
  }
}

/** The files, to be read with the fields of the index that they have. */
async function openInputs(
  inputs: readonly string[],
  { path, ids, vectorColumn, idColumn, invalid, fields: named, quiet }: UpsertFlags,
  terminal: Terminal,
): Promise<VectorFile> {
  const options = { ids, vectorColumn, idColumn, invalid }
  const fields = fieldsToUpsert(await fieldsOfIndex(path), named)
  if (fields === undefined || named !== undefined || inputs.includes('-')) {
    return openVectorFiles(inputs, { ...options, fields })
  }
  const file = await openVectorFiles(inputs, options)
  if (canHaveFields(file.format)) {
    await file.close()
    return openVectorFiles(inputs, { ...options, fields })
  }
  if (!quiet) terminal.warn(`${file.path} has vectors only: its records will have none of the fields of the index`)
  return file
}

function inputsOf({ input = [] }: UpsertFlags): readonly string[] {
  const inputs = typeof input === 'string' ? [input] : input
  if (inputs.length > 0) return inputs
  throw new InvalidOptionError(
    'no input: name files of vectors after the index, or - for standard input; see shardloom upsert --help',
  )
}

interface Upserting {
  readonly path: string
  readonly invalid: 'error' | 'skip'
  readonly signal: AbortSignal
  readonly status: StatusLine
}

async function upsertFile(index: LiveIndex, file: VectorFile, how: Upserting): Promise<Upserted> {
  const { path, signal, status } = how
  const startedMs = performance.now()
  const before = index.count
  const valid = new ValidRows(index)
  let upserted = 0
  let read = 0
  const secondsSince = (): number => (performance.now() - startedMs) / 1000
  // Ends a wait for the writer of a pipe.
  const onAbort = (): void => void file.close()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    for await (const batch of file.batches()) {
      assertFits(batch, file, index, path)
      if (read === 0) assertSameKind(index, batch.ids ?? [], file.path)
      const rows = how.invalid === 'skip' ? valid.of(batch) : batch
      if (rows.vectors.length > 0) upserted += (await index.upsert(rows)).count
      read += batch.vectors.length / batch.dimensions
      status.show(() => `upsert  ${countText(read)} vectors  ${rateText(read / secondsSince())}`)
      if (signal.aborted) break
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
  if (signal.aborted) {
    const stay = `${plural(upserted, 'vector')} had been upserted, and stay; the same command again does no harm`
    throw new AbortedError(signal.reason, `the upsert was interrupted; ${stay}`)
  }
  // Whole parts wait to be sealed: this process is the one that can.
  if (index.live.memoryRows > memoryRows(index.dimensions, LIVE_LIMITS)) {
    status.show(() => 'upsert  sealing')
    await index.flush()
  }
  const { count, live } = index
  const seconds = Math.round(1000 * secondsSince()) / 1000
  return { upserted, replaced: upserted - (count - before), skipped: read - upserted, seconds, count, live }
}

function assertFits({ ids, dimensions }: VectorBatch, file: VectorFile, index: LiveIndex, path: string): void {
  if (dimensions !== index.dimensions) {
    throw new InvalidFileError(
      file.path,
      `its vectors have ${plural(dimensions, 'dimension')}, and those of ${path} have ${index.dimensions}: ` +
        'make them with the model that the index was built with, or build another index',
    )
  }
  if (ids !== undefined) return
  throw new InvalidFileError(
    file.path,
    'its vectors have no ids, and an upsert needs one for every vector: pass --ids FILE, or --id-column NAME',
  )
}

function print(report: Upserted, { path, quiet }: UpsertFlags): string[] {
  if (quiet) return []
  const { upserted, replaced, skipped, seconds, count, live } = report
  const speed = rateText(upserted / Math.max(seconds, 0.001))
  return [
    `upserted ${plural(upserted, 'vector')} in ${tookText(seconds)}, ${speed}: ${countText(upserted - replaced)} new, ` +
      `${countText(replaced)} replaced${skipped > 0 ? `, ${countText(skipped)} invalid ones skipped` : ''}; ` +
      `${countText(count)} in ${path}`,
    changesLine(path, live),
  ]
}

function json({ live, ...report }: Upserted, { path }: UpsertFlags): object {
  const vectorsPerSecond = Math.round(report.upserted / Math.max(report.seconds, 0.001))
  return { path, ...report, vectorsPerSecond, live: liveJson(live) }
}
