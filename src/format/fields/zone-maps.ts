/**
 * Zone maps of a column: the smallest and the largest value of each zone of rows, so that a search passes over zones
 * that hold nothing it looks for. A zone without a value has a smallest one above the largest.
 */
import { MISSING_CODE, zoneCount, zoneRows, type FixedType } from './column-layout.js'

export type ZonedType = Exclude<FixedType, 'boolean'>
export type Zones = Uint32Array<ArrayBuffer> | Float64Array<ArrayBuffer>

/** Numbers of a row that have a zone map each: latitude and longitude, or the one value. */
export const numbersOf = (type: ZonedType): number => (type === 'geo' ? 2 : 1)

/** The maps of a column in which every value is missing: `[smallest, largest]` of each number, by zone. */
export function emptyZones(type: ZonedType, count: number): Zones {
  const length = 2 * numbersOf(type) * zoneCount(type, count)
  const zones = type === 'keyword' ? new Uint32Array(length) : new Float64Array(length)
  const [smallest, largest] = type === 'keyword' ? [MISSING_CODE, 0] : [Infinity, -Infinity]
  for (let at = 0; at < length; at += 2) {
    zones[at] = smallest
    zones[at + 1] = largest
  }
  return zones
}

/** Takes the numbers of consecutive rows from `firstRow` on into the maps. */
export function addToZones(zones: Zones, type: ZonedType, firstRow: number, values: Uint32Array | Float64Array): void {
  const width = numbersOf(type)
  const rows = values.length / width
  const zoneLength = zoneRows(type)
  // Missing numbers are NaN, which compares as false and counts for nothing.
  const missing = type === 'keyword' ? MISSING_CODE : NaN
  for (let row = 0; row < rows; row++) {
    const zone = Math.floor((firstRow + row) / zoneLength)
    for (let number = 0; number < width; number++) {
      const value = values[row * width + number]
      const at = 2 * (zone * width + number)
      if (value === missing) continue
      if (value < zones[at]) zones[at] = value
      if (value > zones[at + 1]) zones[at + 1] = value
    }
  }
}
