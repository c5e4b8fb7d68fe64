import type { FieldRowReader } from '../../../fields/field-row-reader.js'
import { MISSING_CODE } from '../../../format/fields/column-layout.js'
import type { SegmentFile } from '../../../format/segment/segment-file.js'
import type { Queues } from '../../run/queues.js'
import type { ColumnPlace } from './column-file.js'
import type { ColumnWriter } from './column-writer.js'
import { ZonedValues } from './fixed-column.js'
import { assertItemsFit } from './items-fit.js'
import { KeywordCodes, type CodesOfRun } from './keyword-codes.js'
import { ListItems } from './list-items.js'
import { sortDistinct } from '../sort/sort-distinct.js'
import { wordSpool, type Spool } from '../sort/spool.js'

/** Keywords: a code by row. */
export class KeywordColumn implements ColumnWriter {
  readonly #place: ColumnPlace
  readonly #codes: KeywordCodes
  /** By row: the number in its run. */
  readonly #spool: Spool<Uint32Array>
  readonly #row = new Uint32Array(1)
  #out: ZonedValues | undefined

  constructor(queues: Queues, place: ColumnPlace, budgetBytes: number) {
    this.#place = place
    this.#codes = new KeywordCodes(queues, place.field, budgetBytes)
    this.#spool = wordSpool(queues, `column-${place.field}`)
  }

  add(reader: FieldRowReader): Promise<void> | undefined {
    const { field } = this.#place
    this.#row[0] = reader.has(field)
      ? this.#codes.numberOf(reader.bytes, reader.bytesFrom(field), reader.bytesTo(field))
      : MISSING_CODE
    const pushed = this.#spool.add(this.#row, 1)
    return this.#codes.isFull ? endRun(pushed, this.#spool, this.#codes) : pushed
  }

  async finish(): Promise<SegmentFile[]> {
    const { file, codesOf } = await this.#codes.finish(this.#place)
    const out = (this.#out = await ZonedValues.create(this.#place, 'keyword'))
    const codes = new RunCodes(codesOf)
    for await (const { run, numbers } of this.#spool.rows()) {
      const ofRun = await codes.of(run)
      for (let i = 0; i < numbers.length; i++) if (numbers[i] !== MISSING_CODE) numbers[i] = ofRun[numbers[i]]
      out.write(numbers)
    }
    return [await out.seal(), file]
  }

  close(): void {
    this.#out?.close()
  }
}

/** Lists of keywords: the distinct codes of a row, ascending. */
export class KeywordListColumn implements ColumnWriter {
  readonly #place: ColumnPlace
  readonly #name: string
  readonly #codes: KeywordCodes
  /** Of each row: how many, then the numbers in its run. */
  readonly #spool: Spool<Uint32Array>
  #row = new Uint32Array(64)
  #items = 0
  #out: ListItems | undefined

  constructor(queues: Queues, place: ColumnPlace, name: string, budgetBytes: number) {
    this.#place = place
    this.#name = name
    this.#codes = new KeywordCodes(queues, place.field, budgetBytes)
    this.#spool = wordSpool(queues, `column-${place.field}`)
  }

  add(reader: FieldRowReader): Promise<void> | undefined {
    const { field } = this.#place
    const given = reader.items(field)
    if (given + 1 > this.#row.length) this.#row = new Uint32Array(2 * given + 1)
    const row = this.#row
    for (let i = 0; i < given; i++) {
      row[i + 1] = this.#codes.numberOf(reader.bytes, reader.itemFrom(field, i), reader.itemTo(field, i))
    }
    // All keywords of a row are of one run, so that equal ones have equal numbers.
    const end = sortDistinct(row, 1, given + 1)
    row[0] = end - 1
    this.#items += end - 1
    assertItemsFit(this.#items, this.#name)
    const pushed = this.#spool.add(row, end)
    return this.#codes.isFull ? endRun(pushed, this.#spool, this.#codes) : pushed
  }

  async finish(): Promise<SegmentFile[]> {
    const { file, codesOf } = await this.#codes.finish(this.#place)
    const out = (this.#out = await ListItems.create(this.#place, 'keyword[]', this.#items))
    const codes = new RunCodes(codesOf)
    for await (const { run, numbers } of this.#spool.rows()) {
      const ofRun = await codes.of(run)
      for (let at = 0; at < numbers.length;) {
        const from = at + 1
        const to = from + numbers[at]
        for (let i = from; i < to; i++) numbers[i] = ofRun[numbers[i]]
        sortDistinct(numbers, from, to)
        out.add(numbers, from, to)
        at = to
      }
    }
    return [await out.seal(), file]
  }

  close(): void {
    this.#out?.close()
  }
}

/** The codes of the run whose rows are being written: runs follow each other. */
class RunCodes {
  readonly #codesOf: CodesOfRun
  #run = -1
  #codes: Uint32Array = new Uint32Array(0)

  constructor(codesOf: CodesOfRun) {
    this.#codesOf = codesOf
  }

  async of(run: number): Promise<Uint32Array> {
    if (run !== this.#run) this.#codes = await this.#codesOf(run)
    this.#run = run
    return this.#codes
  }
}

async function endRun(
  pushed: Promise<void> | undefined,
  spool: Spool<Uint32Array>,
  codes: KeywordCodes,
): Promise<void> {
  await pushed
  await spool.endRun()
  await codes.endRun()
}
