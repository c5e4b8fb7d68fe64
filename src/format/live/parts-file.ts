/**
 * `live/PARTS`: which sealed parts count, and from which log on changes are read. One line: the CRC-32 of the JSON in
 * eight hex digits, a space, the JSON. It is replaced whole, by a rename.
 */
import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from '../../../spill/files/crc32.js'
import type { Quality, Quantization } from '../../api/report.js'
import { QUANTIZATIONS } from '../../api/report.js'
import { METRICS, type Metric } from '../../api/vectors.js'
import { CorruptIndexError } from '../../errors.js'
import type { Field } from '../../fields/field.js'
import { internStrings } from '../../runtime/interned.js'
import { readFailure, systemErrorCode, writeFailure } from '../bytes/file-errors.js'
import { readSmallFile } from '../bytes/read-small-file.js'
import { syncDirectory, writeDurably } from '../bytes/write-durably.js'
import { checkFields } from '../generation/check-fields.js'
import { FieldChecks, type JsonObject } from '../generation/field-checks.js'
import { DEAD_NAME_PATTERN, LIVE_FOLDER, PART_NAME_PATTERN, PARTS_NAME, temporaryOf } from './live-paths.js'

export const PARTS_FORMAT = 1

/** What all parts, and builds of the index, are made with. */
export interface LiveSettings {
  readonly dimensions: number
  readonly metric: Metric
  readonly m: number
  readonly quantization: Quantization
  readonly quality: Quality | 'auto'
  readonly seed: number
  /** Set when an id may have several vectors. */
  readonly repeatedIds?: true
  /** What records have beside their vector. Absent in an index without fields. */
  readonly fields?: readonly Field[]
}

/** The same with these fields; without the key where there are none. */
export function withFields({ fields: _, ...others }: LiveSettings, fields: readonly Field[] | undefined): LiveSettings {
  return fields === undefined ? others : { ...others, fields }
}

export interface PartEntry {
  /** Of its folder. */
  readonly name: string
  /** 'graph': an index directory of its own. 'flat': rows in its log, which are searched one by one. */
  readonly kind: 'flat' | 'graph'
  readonly rows: number
  /** Ids that it says are deleted. */
  readonly deletes: number
  readonly firstSequence: number
  readonly lastSequence: number
}

export interface DeadFile {
  readonly name: string
  readonly bytes: number
  readonly crc32: number
}

export interface Parts {
  readonly settings: LiveSettings
  /** The generation that the dead rows are of; empty when there is none. */
  readonly base: string
  /** Changes up to this one are in the base or in a part. */
  readonly coveredSequence: number
  /** The log that the next change after those is in. Older ones may be deleted. */
  readonly firstLog: number
  /** For the next part, log or file of dead rows. */
  readonly nextNumber: number
  /** Oldest first. */
  readonly parts: readonly PartEntry[]
  /** Dead rows of the base, then of each part. */
  readonly dead: DeadFile
}

const MAX_PARTS_BYTES = 2 ** 20
const MAX_U32 = 2 ** 32 - 1
const QUALITIES = ['balanced', 'high', 'auto'] as const
const BASE_PATTERN = /^(?:gen-\d{6,15})?$/
const CRC_CHARACTERS = 8

export function encodeParts(parts: Parts): Uint8Array {
  const json = JSON.stringify({ format: PARTS_FORMAT, ...parts })
  return Buffer.from(`${crc32(Buffer.from(json)).toString(16).padStart(CRC_CHARACTERS, '0')} ${json}\n`)
}

/** @throws CorruptIndexError that names the first invalid field */
export function parseParts(bytes: Uint8Array, path: string): Parts {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const json = text.subarray(CRC_CHARACTERS + 1, -1)
  const crc = crc32(json).toString(16).padStart(CRC_CHARACTERS, '0')
  if (text.at(-1) !== 0x0a || text.toString('latin1', 0, CRC_CHARACTERS + 1) !== `${crc} `) {
    throw new CorruptIndexError(path, `its CRC is ${crc}, it says ${text.toString('latin1', 0, CRC_CHARACTERS)}`)
  }
  return checkParts(internStrings(JSON.parse(json.toString()) as unknown), path)
}

function checkParts(json: unknown, path: string): Parts {
  const checks = new FieldChecks(path)
  const root = checks.object(json, 'PARTS')
  if (root.format !== PARTS_FORMAT) {
    checks.fail('format', `${PARTS_FORMAT}, the version this shardloom reads`, root.format)
  }
  const integer = (object: JsonObject, name: string, field: string, least = 0, most?: number): number =>
    checks.integer(object[name], field, least, most)
  const settings = checks.object(root.settings, 'settings')
  const dead = checks.object(root.dead, 'dead')
  return {
    settings: {
      dimensions: integer(settings, 'dimensions', 'settings.dimensions', 1, 2 ** 28),
      metric: checks.oneOf(settings.metric, 'settings.metric', METRICS),
      m: integer(settings, 'm', 'settings.m', 2, 2 ** 16),
      quantization: checks.oneOf(settings.quantization, 'settings.quantization', QUANTIZATIONS),
      quality: checks.oneOf(settings.quality, 'settings.quality', QUALITIES),
      seed: integer(settings, 'seed', 'settings.seed', 0, MAX_U32),
      ...(isSet(checks, settings.repeatedIds, 'settings.repeatedIds') && { repeatedIds: true }),
      ...(settings.fields !== undefined && { fields: checkFields(checks, settings.fields, 'settings.fields') }),
    },
    base: checks.matching(root.base, 'base', BASE_PATTERN),
    coveredSequence: integer(root, 'coveredSequence', 'coveredSequence'),
    firstLog: integer(root, 'firstLog', 'firstLog'),
    nextNumber: integer(root, 'nextNumber', 'nextNumber'),
    parts: checks.array(root.parts, 'parts').map((one, at) => {
      const field = `parts[${at}]`
      const part = checks.object(one, field)
      return {
        name: checks.matching(part.name, `${field}.name`, PART_NAME_PATTERN),
        kind: checks.oneOf(part.kind, `${field}.kind`, ['flat', 'graph']),
        rows: integer(part, 'rows', `${field}.rows`, 0, MAX_U32),
        deletes: integer(part, 'deletes', `${field}.deletes`),
        firstSequence: integer(part, 'firstSequence', `${field}.firstSequence`),
        lastSequence: integer(part, 'lastSequence', `${field}.lastSequence`),
      }
    }),
    dead: {
      name: checks.matching(dead.name, 'dead.name', DEAD_NAME_PATTERN),
      bytes: integer(dead, 'bytes', 'dead.bytes'),
      crc32: integer(dead, 'crc32', 'dead.crc32', 0, MAX_U32),
    },
  }
}

/** A flag is true or absent. */
function isSet(checks: FieldChecks, value: unknown, field: string): value is true {
  if (value !== undefined && value !== true) checks.fail(field, 'true, or absent', value)
  return value === true
}

/** Undefined when the index was never written to. `name`: another file of this form. @throws CorruptIndexError, PathError */
export async function readParts(indexDir: string, name = PARTS_NAME): Promise<Parts | undefined> {
  const path = join(indexDir, LIVE_FOLDER, name)
  try {
    return parseParts(await readSmallFile(path, MAX_PARTS_BYTES), path)
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw readFailure(path, error)
  }
}

/**
 * The switch: before the rename the old parts count, after it the new ones, whatever happens in between. `name`: another
 * file of this form.
 */
export async function writeParts(indexDir: string, parts: Parts, name = PARTS_NAME): Promise<void> {
  const folder = join(indexDir, LIVE_FOLDER)
  const path = join(folder, name)
  const bytes = encodeParts(parts)
  try {
    const temporary = temporaryOf(path)
    await writeDurably(temporary, bytes)
    await rename(temporary, path)
    await syncDirectory(folder)
  } catch (error) {
    throw writeFailure(path, bytes.length, error)
  }
}
