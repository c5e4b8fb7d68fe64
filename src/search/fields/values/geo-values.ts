import type { FilterLeaf, NearLeaf } from '../../../fields/filter-node.js'
import type { SegmentBlocks } from '../../../format/segment/segment-blocks.js'
import { NUMBERS } from './column-values.js'
import type { FieldMemory } from '../field-memory.js'
import { FixedColumn, zonesWithin } from './fixed-column.js'
import { boxAround, keepNear, keepPlaces, zonesNear } from '../near-rows.js'
import type { ValueColumn, ValueCounts } from './value-column.js'

export class GeoValues implements ValueColumn {
  readonly #column: FixedColumn<Float64Array<ArrayBuffer>>

  constructor(file: SegmentBlocks, memory: FieldMemory) {
    this.#column = new FixedColumn(file, 'geo', NUMBERS, memory)
  }

  keep(leaf: FilterLeaf, bits: Uint32Array): void {
    const near = leaf as NearLeaf
    const circle = { ...near, box: boxAround(near) }
    const wanted = zonesNear(this.#column.zones, near, circle.box)
    this.#column.scan(wanted, (values, piece) => keepNear(values, piece, circle, bits))
  }

  keepPresent(bits: Uint32Array): void {
    const wanted = zonesWithin(this.#column.zones, -Infinity, Infinity, { width: 2 })
    this.#column.scan(wanted, (values, piece) => keepPlaces(values, piece, bits))
  }

  count(): ValueCounts {
    throw new TypeError('places are not counted')
  }
}
