/** Verifies one sealed part: its rows, as a log or as an index of its own, and the ids that it says are deleted. */
import { join } from 'node:path'
import type { Id } from '../../api/vectors.js'
import { CorruptIndexError } from '../../errors.js'
import { areSameFields, fieldsText } from '../../fields/same-fields.js'
import { checkChangeFields } from '../live/check-change-fields.js'
import { DELETES_NAME, liveFolder, ROWS_NAME, SEQUENCES_NAME } from '../live/live-paths.js'
import { sequenceOf, type Change } from '../live/log-change.js'
import type { PartEntry, Parts } from '../live/parts-file.js'
import { readLog } from '../live/read-log.js'
import { SequenceRange } from '../live/sequence-range.js'
import { readSequences } from '../live/sequences-file.js'
import { loadGeneration, verifyGeneration } from './verify-generation.js'
import type { VerifyFindings } from './verify-report.js'

interface PartCheck {
  readonly folder: string
  readonly entry: PartEntry
  readonly settings: Parts['settings']
  readonly findings: VerifyFindings
  readonly tell: (name: string) => void
  readonly range: SequenceRange
}

export async function verifyPart(
  indexDir: string,
  entry: PartEntry,
  { settings, coveredSequence }: Parts,
  findings: VerifyFindings,
  tell: (name: string) => void,
): Promise<void> {
  const folder = join(liveFolder(indexDir), entry.name)
  const range = new SequenceRange()
  const check = { folder, entry, settings, findings, tell, range }
  const problemsBefore = findings.problemCount
  if (entry.kind === 'graph') await verifyGraphRows(check)
  else if (entry.rows > 0) await verifyPartLog(check, ROWS_NAME, 'upsert', entry.rows)
  if (entry.deletes > 0) await verifyPartLog(check, DELETES_NAME, 'delete', entry.deletes)
  // What is damaged has other numbers anyway.
  if (findings.problemCount > problemsBefore) return
  const { firstSequence, lastSequence } = entry
  if (range.first !== firstSequence || range.last !== lastSequence) {
    const said = `${firstSequence} to ${lastSequence}`
    findings.add({ path: folder, reason: `it has changes ${range.first} to ${range.last}, PARTS says ${said}` })
  }
  if (lastSequence > coveredSequence) {
    findings.add({
      path: folder,
      reason: `it has change ${lastSequence}, PARTS covers changes up to ${coveredSequence}`,
    })
  }
}

/** A log that was finished: `count` rows of one kind, each id once unless ids of rows may repeat. */
async function verifyPartLog(check: PartCheck, name: string, kind: Change['kind'], count: number): Promise<void> {
  const { folder, entry, settings, findings, tell, range } = check
  const { dimensions, metric } = settings
  const path = join(folder, name)
  const number = Number(entry.name.slice(entry.name.indexOf('-') + 1))
  const ids = new Set<Id>()
  let rows = 0
  findings.filesChecked++
  try {
    const end = await readLog(path, { dimensions, metric, number, sealed: true }, (change) => {
      if (change.kind !== kind) throw new CorruptIndexError(path, `it has a frame of ${change.kind}, not of ${kind}`)
      checkChangeFields(change, settings.fields, path)
      for (const [at, id] of change.ids.entries()) {
        ids.add(id)
        range.add(sequenceOf(change, at))
      }
      rows += change.ids.length
    })
    findings.bytesChecked += end.end
    if (rows !== count) findings.add({ path, reason: `it has ${rows} whole rows, PARTS says ${count}` })
    const mayRepeat = kind === 'upsert' && settings.repeatedIds === true
    if (ids.size !== rows && !mayRepeat) findings.add({ path, reason: `it has ${rows} rows of ${ids.size} ids` })
  } catch (error) {
    findings.addError(error)
  }
  tell(`${entry.name}/${name}`)
}

async function verifyGraphRows({ folder, entry, settings, findings, tell, range }: PartCheck): Promise<void> {
  try {
    const generation = await loadGeneration(folder, findings)
    if (generation !== undefined) {
      const { count, dimensions, metric, fields } = generation.manifest
      if (count !== entry.rows) findings.add({ path: folder, reason: `it has ${count} rows, PARTS says ${entry.rows}` })
      if (dimensions !== settings.dimensions || metric !== settings.metric) {
        const reason = `it is of ${dimensions} dimensions and ${metric}, PARTS says ${settings.dimensions} and ${settings.metric}`
        findings.add({ path: folder, reason })
      }
      if (!areSameFields(fields, settings.fields)) {
        const reason = `it has ${fieldsText(fields)}, PARTS says ${fieldsText(settings.fields)}`
        findings.add({ path: folder, reason })
      }
      await verifyGeneration(generation, findings, (name) => tell(`${entry.name}/${name}`))
    }
    const sequences = await readSequences(folder, entry.rows)
    for (const sequence of sequences) range.add(sequence)
    findings.bytesChecked += sequences.byteLength
  } catch (error) {
    findings.addError(error)
  }
  findings.filesChecked++
  tell(`${entry.name}/${SEQUENCES_NAME}`)
}
