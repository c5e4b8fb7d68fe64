/** Opens the changes since the last build: sealed parts, dead rows, logs. */
import { join } from 'node:path'
import type { OpenOptions } from '../../api/search.js'
import { CorruptIndexError } from '../../errors.js'
import { areSameFields, fieldsText } from '../../fields/same-fields.js'
import { checkChangeFields } from '../../format/live/check-change-fields.js'
import { readDeadRows } from '../../format/live/dead-rows-file.js'
import { liveFolder, logName, ROWS_NAME } from '../../format/live/live-paths.js'
import { withFields, type LiveSettings, type PartEntry, type Parts } from '../../format/live/parts-file.js'
import { logsInUse } from '../../format/live/log-numbers.js'
import { lastSequenceOf, type Change } from '../../format/live/log-change.js'
import { readLog, type LogEnd } from '../../format/live/read-log.js'
import { readSequences } from '../../format/live/sequences-file.js'
import { openGeneration, type OpenGeneration } from '../open-generation.js'
import { AliveRows } from './alive-rows.js'
import { GraphPart } from './graph-part.js'
import { killIn, LiveState, type SealedView } from './live-state.js'
import { MemoryPart } from './memory-part.js'
import { killOlder, newerIds } from './newer-changes.js'
import type { Part, PartView } from './part.js'

/** A state, and where its newest log ends. */
export interface LoadedLive {
  readonly state: LiveState
  readonly tail: LogTail
}

/** Where the newest log ends. Bytes beyond were never acknowledged: of a torn write, or of one in progress. */
export interface LogTail {
  readonly log: number
  readonly end: LogEnd
  /** Of the log before it; 0 when there is none. */
  readonly chainBefore: number
}

/**
 * `base`: the live generation, and the change that it contains. Closes what it opened when it fails.
 * `opened`: parts that are open already, by name.
 * @throws CorruptIndexError, PathError
 */
export async function loadLive(
  indexDir: string,
  parts: Parts,
  base: OpenGeneration | undefined,
  options: OpenOptions,
  opened: ReadonlyMap<string, Part> = new Map(),
): Promise<LoadedLive> {
  const made: Part[] = []
  try {
    const settings = settingsOver(indexDir, parts, base)
    const views = await openParts(indexDir, { ...parts, settings }, base, options, opened, made)
    const baseSequence = base?.liveSequence ?? 0
    const state = new LiveState(settings, views.base, baseSequence)
    state.sealed = views.sealed
    state.lastSequence = Math.max(baseSequence, parts.coveredSequence)
    if (base !== undefined) assertSameShape(indexDir, settings, base)
    // Every id of the logs is looked for in every part.
    for (const { part } of state.views) if (part instanceof GraphPart) part.open.lookup.hold()
    if (base !== undefined && parts.base !== base.facts.generation) await applyToBase(indexDir, state)
    return { state, tail: await readLogs(indexDir, parts, state) }
  } catch (error) {
    for (const part of made) await part.close()
    throw error
  }
}

/**
 * A build may have given the index other fields when nothing was changed since it began: all changes are in it.
 * @throws CorruptIndexError when rows of other fields lie on it
 */
function settingsOver(indexDir: string, { settings, parts }: Parts, base: OpenGeneration | undefined): LiveSettings {
  if (base === undefined || areSameFields(settings.fields, base.schema)) return settings
  if (parts.some(({ rows, lastSequence }) => rows > 0 && lastSequence > base.liveSequence)) {
    assertSameShape(indexDir, settings, base)
  }
  return withFields(settings, base.schema)
}

/** @throws CorruptIndexError */
export function assertSameShape(indexDir: string, settings: LiveSettings, { facts, schema }: OpenGeneration): void {
  if (!areSameFields(settings.fields, schema)) {
    throw new CorruptIndexError(
      liveFolder(indexDir),
      `its changes have ${fieldsText(settings.fields)}, and ${facts.generation} has ${fieldsText(schema)}: delete ` +
        'this folder to give them up',
    )
  }
  for (const name of ['dimensions', 'metric'] as const) {
    if (facts[name] === settings[name]) continue
    throw new CorruptIndexError(
      liveFolder(indexDir),
      `its changes are of ${name} ${settings[name]}, and ${facts.generation} of ${facts[name]}: delete this folder to ` +
        'give them up',
    )
  }
}

async function openParts(
  indexDir: string,
  parts: Parts,
  base: OpenGeneration | undefined,
  options: OpenOptions,
  opened: ReadonlyMap<string, Part>,
  made: Part[],
): Promise<{ base: PartView<GraphPart> | undefined; sealed: readonly SealedView[] }> {
  const isSame = base !== undefined && parts.base === base.facts.generation
  const baseRows = isSame ? base.facts.count : 2 ** 32
  const dead = await readDeadRows(indexDir, parts.dead, [baseRows, ...parts.parts.map(({ rows }) => rows)])
  const sealed: SealedView[] = []
  for (const [at, entry] of parts.parts.entries()) {
    // The base contains all of it.
    if (base !== undefined && entry.lastSequence <= base.liveSequence) continue
    const known = opened.get(entry.name)
    const part = known ?? (await openPart(indexDir, entry, parts, options))
    if (known === undefined) made.push(part)
    sealed.push({ part, alive: new AliveRows(part.rows, dead[at + 1]), entry })
  }
  if (base === undefined) return { base: undefined, sealed }
  const part = new GraphPart(base.facts.generation, base, base.liveSequence)
  return { base: { part, alive: new AliveRows(part.rows, isSame ? dead[0] : []) }, sealed }
}

export async function openPart(
  indexDir: string,
  { name, kind, rows }: PartEntry,
  { settings }: Pick<Parts, 'settings'>,
  options: OpenOptions,
): Promise<Part> {
  const folder = join(liveFolder(indexDir), name)
  if (kind === 'graph') {
    const sequences = await readSequences(folder, rows)
    const open = await openGeneration(folder, { ...options, threads: 1 })
    try {
      if (open.facts.count !== rows) {
        throw new CorruptIndexError(folder, `it has ${open.facts.count} rows, PARTS says ${rows}`)
      }
      assertSameShape(indexDir, settings, open)
    } catch (error) {
      await open.close()
      throw error
    }
    return new GraphPart(name, open, sequences)
  }
  const part = new MemoryPart(name, settings)
  if (rows === 0) return part
  const path = join(folder, ROWS_NAME)
  const end = await readLog(path, { ...shapeOf(settings), sealed: true }, (change) => {
    checkChangeFields(change, settings.fields, path)
    if (change.kind === 'upsert') part.append(change)
  })
  if (end.torn !== undefined || part.rows !== rows) {
    throw new CorruptIndexError(path, `it has ${part.rows} whole rows, PARTS says ${rows}`)
  }
  return part
}

/** The parts were written for another base: what they say of its rows is found again. */
async function applyToBase(indexDir: string, state: LiveState): Promise<void> {
  const { base, baseSequence, settings } = state
  if (base === undefined) return
  for await (const id of newerIds(indexDir, state, baseSequence)) killIn([base], id, settings)
  killOlder(state, baseSequence)
}

async function readLogs(indexDir: string, parts: Parts, state: LiveState): Promise<LogTail> {
  const numbers = await logsInUse(indexDir)
  const from = numbers.filter((number) => number >= parts.firstLog)
  if (from[0] !== parts.firstLog) {
    throw new CorruptIndexError(
      join(liveFolder(indexDir), logName(parts.firstLog)),
      'PARTS names it, and it is missing',
    )
  }
  let tail: LogTail | undefined
  for (const number of from) tail = await replayLog(indexDir, number, state, number === from.at(-1), tail?.end)
  if (tail === undefined) throw new Error('there is a first log')
  return tail
}

/** `before`: where the log before it ended. */
async function replayLog(
  indexDir: string,
  number: number,
  state: LiveState,
  isLast: boolean,
  before: LogEnd | undefined,
): Promise<LogTail> {
  const path = join(liveFolder(indexDir), logName(number))
  state.startMemory(number)
  const { dimensions, metric } = state.settings
  const expected = { dimensions, metric, number, newest: isLast, sealed: !isLast }
  const end = await readLog(path, expected, (change) => applyRead(state, change, path))
  state.lastSequence = Math.max(state.lastSequence, end.lastSequence)
  if (before !== undefined && end.facts !== undefined && end.facts.chain !== before.chain) {
    throw new CorruptIndexError(path, `it follows a log whose chain is ${end.facts.chain}, not ${before.chain}`)
  }
  return { log: number, end, chainBefore: before?.chain ?? 0 }
}

/** Applies a change of a log file. What the base contains may have other fields. */
function applyRead(state: LiveState, change: Change, path: string): void {
  if (lastSequenceOf(change) > state.baseSequence) checkChangeFields(change, state.settings.fields, path)
  state.apply(change)
}

function shapeOf({ dimensions, metric }: LiveSettings): Pick<LiveSettings, 'dimensions' | 'metric'> {
  return { dimensions, metric }
}

/**
 * Applies what was appended to the newest log since, and newer logs. Returns whether there was anything.
 * @throws CorruptIndexError also when what was read is not there any more: then everything is read again
 */
export async function readOn(indexDir: string, live: { readonly state: LiveState; tail: LogTail }): Promise<boolean> {
  const { state, tail } = live
  const before = state.version
  const path = join(liveFolder(indexDir), logName(tail.log))
  const { dimensions, metric } = state.settings
  // Found first: a log is complete when the next one is there.
  const newer = (await logsInUse(indexDir)).filter((number) => number > tail.log)
  const isLast = newer.length === 0
  const expected = { dimensions, metric, number: tail.log, newest: isLast, sealed: !isLast }
  const from = tail.end.facts === undefined ? {} : { from: tail.end }
  const end = await readLog(path, expected, (change) => applyRead(state, change, path), from)
  state.lastSequence = Math.max(state.lastSequence, end.lastSequence)
  live.tail = { ...tail, end }
  for (const number of newer) {
    live.tail = await replayLog(indexDir, number, state, number === newer.at(-1), live.tail.end)
  }
  return state.version !== before
}
