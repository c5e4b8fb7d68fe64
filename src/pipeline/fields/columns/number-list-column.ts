import type { FieldRowReader } from '../../../fields/field-row-reader.js'
import type { SegmentFile } from '../../../format/segment/segment-file.js'
import type { Queues } from '../../run/queues.js'
import type { ColumnPlace } from './column-file.js'
import type { ColumnWriter } from './column-writer.js'
import { assertItemsFit } from './items-fit.js'
import { ListItems } from './list-items.js'
import { sortDistinct } from '../sort/sort-distinct.js'
import { floatSpool, type Spool } from '../sort/spool.js'

/** Lists of numbers: the distinct ones of a row, ascending. */
export class NumberListColumn implements ColumnWriter {
  readonly #place: ColumnPlace
  readonly #name: string
  /** Of each row: how many, then the numbers. */
  readonly #spool: Spool<Float64Array>
  #row = new Float64Array(64)
  #items = 0
  #out: ListItems | undefined

  constructor(queues: Queues, place: ColumnPlace, name: string) {
    this.#place = place
    this.#name = name
    this.#spool = floatSpool(queues, `column-${place.field}`)
  }

  add(reader: FieldRowReader): Promise<void> | undefined {
    const { field } = this.#place
    const given = reader.items(field)
    if (given + 1 > this.#row.length) this.#row = new Float64Array(2 * given + 1)
    const row = this.#row
    for (let i = 0; i < given; i++) row[i + 1] = reader.itemNumber(field, i)
    const end = sortDistinct(row, 1, given + 1)
    row[0] = end - 1
    this.#items += end - 1
    assertItemsFit(this.#items, this.#name)
    return this.#spool.add(row, end)
  }

  async finish(): Promise<SegmentFile[]> {
    const out = (this.#out = await ListItems.create(this.#place, 'number[]', this.#items))
    for await (const { numbers } of this.#spool.rows()) {
      for (let at = 0; at < numbers.length; at += 1 + numbers[at]) out.add(numbers, at + 1, at + 1 + numbers[at])
    }
    return [await out.seal()]
  }

  close(): void {
    this.#out?.close()
  }
}
