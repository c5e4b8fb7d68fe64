import { InvalidOptionError } from '../../../errors.js'
import { MOST_ITEMS } from '../../../format/fields/column-layout.js'

/** @throws InvalidOptionError when the lists of a field have more items than their offsets can count */
export function assertItemsFit(items: number, name: string): void {
  if (items <= MOST_ITEMS) return
  throw new InvalidOptionError(
    `fields: the lists of ${JSON.stringify(name)} have more than ${MOST_ITEMS} items in all, more than one index can ` +
      'hold; give shorter lists, or build several indexes',
  )
}
