/**
 * TUNING: the beam widths chosen for a generation after it was published, a file in its folder. The manifest is sealed
 * and does not list it, so it has a separate checksum.
 */
import { randomUUID } from 'node:crypto'
import { access, constants, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CorruptIndexError } from '../../errors.js'
import type { Tuning } from '../../api/measure.js'
import { crc32 } from '../../../spill/files/crc32.js'
import { FieldChecks } from './field-checks.js'
import { readFailure, systemErrorCode, writeFailure } from '../bytes/file-errors.js'
import { syncDirectory, writeDurably } from '../bytes/write-durably.js'
import { readSmallFile } from '../bytes/read-small-file.js'

export const TUNING_NAME = 'TUNING'
/** Left by a process that died while it stored a choice. Never read. */
const TEMPORARY_NAME = /^TUNING\.[0-9a-f-]{36}\.tmp$/

/** Widest beam that is tried or accepted, unless k itself is larger. */
export const MAX_TUNED_EF = 4096
/** Most choices that are kept, one for each k. */
export const MAX_TUNINGS = 64
const MAX_FILE_BYTES = 64 * 1024
const FORMAT_VERSION = 1
const LINE = /^([0-9a-f]{8}) (\{.*\})\n$/
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const FIELDS: readonly (keyof Tuning)[] = ['k', 'targetRecall', 'ef', 'recall', 'queries', 'source', 'tunedAt']

export function isTuningFile(name: string): boolean {
  return name === TUNING_NAME || TEMPORARY_NAME.test(name)
}

/** One line: CRC-32 of the JSON as 8 hex digits, a space, the JSON, LF. */
export function encodeTunings(generation: string, tunings: readonly Tuning[]): Uint8Array {
  const json = JSON.stringify({ formatVersion: FORMAT_VERSION, generation, tunings })
  const crc = crc32(new TextEncoder().encode(json)).toString(16).padStart(8, '0')
  return new TextEncoder().encode(`${crc} ${json}\n`)
}

/** @throws CorruptIndexError that names the invalid field */
export function parseTunings(bytes: Uint8Array, generation: string, path: string): Tuning[] {
  const match = LINE.exec(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1'))
  if (match === null) throw damaged(path, 'this is not a line like 0123abcd {…}')
  const [, stored, json] = match
  const computed = crc32(Buffer.from(json, 'latin1')).toString(16).padStart(8, '0')
  if (computed !== stored) throw damaged(path, `its CRC is ${computed}, stored ${stored}`)
  let parsed: unknown
  try {
    parsed = JSON.parse(json)
  } catch (cause) {
    throw damaged(path, 'this is not JSON', cause)
  }
  try {
    return checkTunings(parsed, generation, new FieldChecks(path))
  } catch (error) {
    throw error instanceof CorruptIndexError ? damaged(path, error.reason, error) : error
  }
}

/** The fix differs from other damaged files: only the choices are lost. */
function damaged(path: string, reason: string, cause?: unknown): CorruptIndexError {
  const fix = 'this file can be deleted: searches then have the default ef until tune is run again'
  return new CorruptIndexError(path, `${reason} (${fix})`, { cause })
}

function checkTunings(parsed: unknown, generation: string, checks: FieldChecks): Tuning[] {
  const file = checks.object(parsed, 'file')
  checks.keys(file, ['formatVersion', 'generation', 'tunings'], '')
  checks.integer(file['formatVersion'], 'formatVersion', FORMAT_VERSION, FORMAT_VERSION)
  checks.oneOf(file['generation'], 'generation', [generation])
  const tunings = checks.array(file['tunings'], 'tunings')
  checks.integer(tunings.length, 'tunings.length', 0, MAX_TUNINGS)
  let leastK = 1
  return tunings.map((value, i): Tuning => {
    const field = `tunings[${i}]`
    const tuning = checks.object(value, field)
    checks.keys(tuning, FIELDS, field)
    const k = checks.integer(tuning['k'], `${field}.k`, leastK, 2 ** 32 - 1)
    leastK = k + 1
    const share = (name: 'targetRecall' | 'recall', least: number): number => {
      const given = checks.number(tuning[name], `${field}.${name}`)
      if (given < least || given > 1) checks.fail(`${field}.${name}`, `a number from ${least} to 1`, given)
      return given
    }
    const targetRecall = share('targetRecall', 0)
    return {
      k,
      targetRecall,
      ef: checks.integer(tuning['ef'], `${field}.ef`, 1, Math.max(k, MAX_TUNED_EF)),
      recall: share('recall', targetRecall),
      queries: checks.integer(tuning['queries'], `${field}.queries`, 1),
      source: checks.oneOf(tuning['source'], `${field}.source`, ['sampled', 'given']),
      tunedAt: checks.matching(tuning['tunedAt'], `${field}.tunedAt`, TIME),
    }
  })
}

/**
 * The choices stored with a generation, by ascending k; none when there is no file. @throws CorruptIndexError,
 * PathError
 */
export async function readTunings(directory: string, generation: string): Promise<Tuning[]> {
  const path = join(directory, TUNING_NAME)
  try {
    return parseTunings(await readSmallFile(path, MAX_FILE_BYTES), generation, path)
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return []
    throw readFailure(path, error)
  }
}

/** For a check before hours of measuring. @throws PathError when nothing can be stored there */
export async function checkTuningWritable(directory: string): Promise<void> {
  try {
    await access(directory, constants.W_OK)
  } catch (error) {
    throw writeFailure(join(directory, TUNING_NAME), 0, error)
  }
}

/**
 * Adds a choice, in place of the stored one for the same k; beyond `MAX_TUNINGS` the oldest is dropped. Returns all
 * stored choices, which are on the device when it resolves. When two processes store at the same time, one may
 * overwrite the other.
 * @throws PathError, DiskFullError, CorruptIndexError when the existing file is damaged
 */
export async function storeTuning(directory: string, generation: string, tuning: Tuning): Promise<Tuning[]> {
  const others = (await readTunings(directory, generation)).filter(({ k }) => k !== tuning.k)
  if (others.length >= MAX_TUNINGS) {
    const oldest = others.reduce((a, b) => (b.tunedAt < a.tunedAt ? b : a))
    others.splice(others.indexOf(oldest), 1)
  }
  const tunings = [...others, tuning].sort((a, b) => a.k - b.k)
  const bytes = encodeTunings(generation, tunings)
  const path = join(directory, TUNING_NAME)
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    await writeDurably(temporary, bytes)
    await rename(temporary, path)
  } catch (error) {
    // A failure to delete the file is not reported: it is deleted with the generation.
    await rm(temporary, { force: true }).catch(() => undefined)
    throw writeFailure(path, bytes.length, error)
  }
  await syncDirectory(directory)
  return tunings
}
