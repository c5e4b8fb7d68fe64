/** The plain evaluation of a filter, row by row. */
import type { FieldRowReader } from '../field-row-reader.js'
import type { FilterNode, InLeaf, NearLeaf, RangeLeaf } from '../filter-node.js'
import { greatCircleKm } from '../values/great-circle.js'
import { compareBytes } from '../values/text-order.js'

/** Whether a filter keeps the open row. */
export type RowTest = (row: FieldRowReader) => boolean

const tests = new WeakMap<FilterNode, RowTest>()

/** Whether the filter keeps the row that the reader has open. The filter is prepared once: give the same object again. */
export function matches(node: FilterNode, row: FieldRowReader): boolean {
  let test = tests.get(node)
  if (test === undefined) tests.set(node, (test = rowTest(node)))
  return test(row)
}

/** `matches` of one filter, for many rows. */
export function rowTest(node: FilterNode): RowTest {
  switch (node.op) {
    case 'all':
      return () => true
    case 'and': {
      const parts = node.of.map(rowTest)
      return (row) => parts.every((test) => test(row))
    }
    case 'or': {
      const parts = node.of.map(rowTest)
      return (row) => parts.some((test) => test(row))
    }
    case 'exists':
      return (row) => row.has(node.field) !== node.negated
    case 'near':
      return nearTest(node)
    case 'in':
      return someItem(node, isText(node.values) ? textIn(node.field, node.values) : numberIn(node))
    case 'range':
      return someItem(node, typeof (node.low ?? node.high) === 'string' ? textInside(node) : numberInside(node))
  }
}

type ItemTest = (row: FieldRowReader, item: number) => boolean

/** Some item passes; negated: there are items, and none does. */
function someItem({ field, negated }: { field: number; negated: boolean }, test: ItemTest): RowTest {
  return (row) => {
    const items = row.items(field)
    for (let item = 0; item < items; item++) if (test(row, item)) return !negated
    return negated && items > 0
  }
}

function isText(values: InLeaf['values']): values is readonly string[] {
  return typeof values[0] === 'string'
}

function textIn(field: number, values: readonly string[]): ItemTest {
  const sorted = values.map(utf8)
  return (row, item) => {
    const from = row.itemFrom(field, item)
    const to = row.itemTo(field, item)
    return includes(sorted.length, (at) => compareBytes(row.bytes, from, to, sorted[at]))
  }
}

function numberIn({ field, values }: InLeaf): ItemTest {
  const sorted = Float64Array.from(values as readonly (number | boolean)[], Number)
  return (row, item) => {
    const number = row.itemNumber(field, item)
    return includes(sorted.length, (at) => number - sorted[at])
  }
}

/** Whether `compare` is 0 for one of `count` ascending values, by halving. */
function includes(count: number, compare: (at: number) => number): boolean {
  let from = 0
  let to = count
  while (from < to) {
    const middle = (from + to) >>> 1
    const order = compare(middle)
    if (order === 0) return true
    if (order < 0) to = middle
    else from = middle + 1
  }
  return false
}

function textInside({ field, low, high, lowIncluded, highIncluded }: RangeLeaf): ItemTest {
  const lowest = low === undefined ? undefined : utf8(low as string)
  const highest = high === undefined ? undefined : utf8(high as string)
  return (row, item) => {
    const from = row.itemFrom(field, item)
    const to = row.itemTo(field, item)
    const order = lowest === undefined ? 1 : compareBytes(row.bytes, from, to, lowest)
    if (order < 0 || (order === 0 && !lowIncluded)) return false
    const above = highest === undefined ? -1 : compareBytes(row.bytes, from, to, highest)
    return above < 0 || (above === 0 && highIncluded)
  }
}

function numberInside({ field, lowIncluded, highIncluded, ...bounds }: RangeLeaf): ItemTest {
  const { low = -Infinity, high = Infinity } = bounds as { readonly low?: number; readonly high?: number }
  return (row, item) => {
    const number = row.itemNumber(field, item)
    return (lowIncluded ? number >= low : number > low) && (highIncluded ? number <= high : number < high)
  }
}

function nearTest({ field, negated, lat, lon, km }: NearLeaf): RowTest {
  return (row) => row.has(field) && greatCircleKm(lat, lon, row.lat(field), row.lon(field)) <= km !== negated
}

function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}
