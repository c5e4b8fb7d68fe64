/** The fields that a command names, and those that an index has. */
import type { FieldSchema } from '../../api/fields.js'
import { InvalidOptionError } from '../../errors.js'
import { schemaOf, unknownField } from '../../fields/schema.js'
import { readCurrent } from '../../format/generation/current.js'
import { loadManifest } from '../../format/generation/read-manifest.js'
import { readParts } from '../../format/live/parts-file.js'
import { wantedFields, type FieldsToRead } from '../../sources/fields/wanted-fields.js'

/** Undefined when it has none. @throws CorruptIndexError, PathError */
export async function fieldsOfIndex(path: string): Promise<FieldSchema | undefined> {
  // Those of a build count, whatever changes before it had.
  const isBuilt = (await readCurrent(path)) !== undefined
  const fields = isBuilt ? (await loadManifest(path)).manifest.fields : (await readParts(path))?.settings.fields
  return fields && schemaOf(fields)
}

/** What to read of a file: all fields of the index, or those that are named. @throws InvalidOptionError */
export function fieldsToUpsert(has: FieldSchema | undefined, given: FieldsToRead | undefined): FieldSchema | undefined {
  if (given === undefined) return has
  const fields = Object.entries(has ?? {}).map(([name, type]) => ({ name, type }))
  return Object.fromEntries(
    wantedFields(given).map(({ name, type }) => {
      const field = fields.find((one) => one.name === name)
      if (field === undefined) throw new InvalidOptionError(`fields (--fields) has the ${unknownField(name, fields)}`)
      if (type === undefined || type === field.type) return [name, field.type] as const
      throw new InvalidOptionError(
        `fields (--fields): ${JSON.stringify(name)} is of type ${field.type} in the index, not ${type}; leave the type out`,
      )
    }),
  )
}
