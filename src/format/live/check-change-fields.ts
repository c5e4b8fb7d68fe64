import { CorruptIndexError } from '../../errors.js'
import type { Field } from '../../fields/field.js'
import { FieldRowReader } from '../../fields/field-row-reader.js'
import { messageOf } from '../../runtime/realms.js'
import type { Change } from './log-change.js'

/**
 * Checks the field rows of a change that was read from a file, which nothing checks again.
 * @throws CorruptIndexError unless each row is one of these fields
 */
export function checkChangeFields(
  { kind, fields: rows, ids, firstSequence }: Change,
  fields: readonly Field[] | undefined,
  path: string,
): void {
  if (kind === 'delete') return
  const corrupt = (reason: string): CorruptIndexError =>
    new CorruptIndexError(path, `${reason}, in the change of ${ids.length} rows from sequence ${firstSequence} on`)
  if (fields === undefined && rows !== undefined) throw corrupt('there are fields, and PARTS lists none')
  if (fields === undefined) return
  if (rows === undefined) throw corrupt('there are no fields, and PARTS lists some')
  const reader = new FieldRowReader(fields)
  for (let at = 0; at < rows.count; at++) {
    try {
      reader.open(rows.bytes, rows.offsets[at], rows.offsets[at + 1])
    } catch (error) {
      throw corrupt(`field row ${at}: ${messageOf(error)}`)
    }
  }
}
