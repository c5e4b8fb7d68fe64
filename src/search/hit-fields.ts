/** The fields of what was found, decoded. */
import { CorruptIndexError } from '../errors.js'
import type { Field } from '../fields/field.js'
import { FieldCodec, type FieldValue } from '../fields/field-codec.js'
import { messageOf } from '../runtime/realms.js'
import type { Part } from './live/part.js'
import type { OpenGeneration } from './open-generation.js'

export type HitFields = Record<string, FieldValue>

/** One for all rows of an index. */
const codecs = new WeakMap<readonly Field[], FieldCodec>()

/** `only`: positions of the fields that are wanted. @throws CorruptIndexError */
export function fieldsOfNode(
  { fields, directory }: OpenGeneration,
  node: number,
  only?: ReadonlySet<number>,
): HitFields {
  return fields === undefined ? {} : decoded(fields.fields, fields.row(node), only, directory, node)
}

/** Of a row of a part of an index with these fields. @throws CorruptIndexError */
export function fieldsOfRow(fields: readonly Field[], part: Part, row: number, only?: ReadonlySet<number>): HitFields {
  const bytes = part.fieldRow(row)
  return bytes === undefined ? {} : decoded(fields, bytes, only, part.name, row)
}

function decoded(
  fields: readonly Field[],
  row: Uint8Array,
  only: ReadonlySet<number> | undefined,
  place: string,
  node: number,
): HitFields {
  let codec = codecs.get(fields)
  if (codec === undefined) codecs.set(fields, (codec = new FieldCodec(fields)))
  try {
    return codec.decode(row, only)
  } catch (error) {
    // It throws nothing else than that the bytes are no row.
    throw new CorruptIndexError(place, `the fields of row ${node}: ${messageOf(error)}`)
  }
}
