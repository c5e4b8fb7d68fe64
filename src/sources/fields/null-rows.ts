/** Puts nulls and lists back between the cells that are there. Pure. */
import type { FieldColumn } from '../../api/fields.js'

/** One value for each row: the next of `values` where `isThere`, null elsewhere. `values` itself when nothing is null. */
export function withNulls(values: FieldColumn, count: number, isThere: (row: number) => boolean): FieldColumn {
  if (values.length === count) return values
  const rows = new Array<unknown>(count)
  let next = 0
  for (let row = 0; row < count; row++) rows[row] = isThere(row) ? values[next++] : null
  return rows
}
