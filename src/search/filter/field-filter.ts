/** Filters by fields: parsed once for a search, made nodes by each generation and part. */
import { InvalidOptionError } from '../../errors.js'
import type { Field } from '../../fields/field.js'
import type { FilterNode } from '../../fields/filter-node.js'
import { filterKey } from '../../fields/filter/filter-key.js'
import { parseFilter } from '../../fields/filter/parse-filter.js'

export class FieldFilter {
  readonly node: FilterNode
  /** The same for filters that are the same: for caches of what they keep. */
  readonly key: string

  constructor(node: FilterNode) {
    this.node = node
    this.key = filterKey(node)
  }

  /** @throws InvalidOptionError for an index without fields; for what `parseFilter` refuses */
  static of(fields: readonly Field[] | undefined, given: unknown): FieldFilter {
    return new FieldFilter(parseFilter(assertHasFields(fields, 'a filter by fields'), given))
  }
}

/** @throws InvalidOptionError that says how an index gets fields */
export function assertHasFields(fields: readonly Field[] | undefined, what: string): readonly Field[] {
  if (fields !== undefined) return fields
  throw new InvalidOptionError(
    `this index has no fields, which ${what} needs; build it with the option \`fields\`, and give records \`fields\``,
  )
}
