/** Checks the fields that a manifest lists, and the files of them. */
import type { FieldType } from '../../api/fields.js'
import type { Field } from '../../fields/field.js'
import { fieldListProblem } from '../../fields/schema.js'
import { FIELD_FILE_KINDS, FILES_OF_FIELD } from '../segment/field-files.js'
import { segmentFileName } from '../segment/segment-file.js'
import type { FieldChecks } from './field-checks.js'
import type { Manifest } from './manifest.js'

/** `at`: the place of the list in its file. @throws CorruptIndexError unless it is a schema that a build accepts */
export function checkFields(checks: FieldChecks, value: unknown, at: string): readonly Field[] {
  const problem = fieldListProblem(value)
  if (problem !== undefined) checks.fail(at, `a list of fields (${problem})`, value)
  return checks.array(value, at).map((one, i) => {
    const field = checks.object(one, `${at}[${i}]`)
    checks.keys(field, ['name', 'type'], `${at}[${i}]`)
    return { name: field.name as string, type: field.type as FieldType }
  })
}

/** Each field has exactly the files of its type, each of all nodes; without fields there is no such file. */
export function checkFieldFiles(checks: FieldChecks, { segments, fields = [], count }: Manifest): void {
  const missing = new Set(
    fields.flatMap(({ type }, field) => FILES_OF_FIELD[type].map((kind) => segmentFileName(kind, field))),
  )
  for (const [at, file] of segments.entries()) {
    if (file.kind === 'fields' && fields.length === 0) {
      checks.fail(`segments[${at}].name`, 'of another kind in an index without fields', file.name)
    }
    if (!FIELD_FILE_KINDS.some((kind) => kind === file.kind)) continue
    if (!missing.delete(file.name)) checks.fail(`segments[${at}].name`, 'the name of a file of a field', file.name)
    checks.integer(file.firstNode, `segments[${at}].firstNode`, 0, 0)
    checks.integer(file.count, `segments[${at}].count`, count, count)
  }
  for (const name of missing) checks.fail('segments', `a list with ${name}`, segments.length)
}
