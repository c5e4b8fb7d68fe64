import type { FieldRowReader } from '../../../fields/field-row-reader.js'
import { fixedColumnBytes, MISSING_BOOLEAN, zonesAt } from '../../../format/fields/column-layout.js'
import { addToZones, emptyZones, numbersOf, type ZonedType, type Zones } from '../../../format/fields/zone-maps.js'
import type { PartWriter } from '../../../format/segment/part-writer.js'
import type { SegmentFile } from '../../../format/segment/segment-file.js'
import { ColumnFile, type ColumnPlace } from './column-file.js'
import type { ColumnWriter } from './column-writer.js'

const HELD_NUMBERS = 2048
const HELD_BOOLEANS = 8192

/** Values of a fixed stride, and their zone maps behind them. */
export class ZonedValues {
  readonly #type: ZonedType
  readonly #file: ColumnFile
  readonly #values: PartWriter
  readonly #zones: Zones
  readonly #zonesAt: number
  #rows = 0

  static async create(place: ColumnPlace, type: ZonedType): Promise<ZonedValues> {
    const file = await ColumnFile.create(place, 'column', fixedColumnBytes(type, place.count))
    return new ZonedValues(file, place, type)
  }

  private constructor(file: ColumnFile, { count }: ColumnPlace, type: ZonedType) {
    this.#type = type
    this.#file = file
    this.#values = file.part(0)
    this.#zones = emptyZones(type, count)
    this.#zonesAt = zonesAt(type, count)
  }

  /** The numbers of the next rows, copied. */
  write(values: Uint32Array | Float64Array): void {
    addToZones(this.#zones, this.#type, this.#rows, values)
    this.#values.write(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
    this.#rows += values.length / numbersOf(this.#type)
  }

  async seal(): Promise<SegmentFile> {
    this.#file.part(this.#zonesAt).write(new Uint8Array(this.#zones.buffer))
    return this.#file.seal()
  }

  close(): void {
    this.#file.close()
  }
}

/** Numbers, dates and places. */
export class NumberColumn implements ColumnWriter {
  readonly #field: number
  readonly #isPlace: boolean
  readonly #out: ZonedValues
  readonly #held = new Float64Array(HELD_NUMBERS)
  #used = 0

  static async create(place: ColumnPlace, type: 'number' | 'date' | 'geo'): Promise<NumberColumn> {
    return new NumberColumn(await ZonedValues.create(place, type), place.field, type === 'geo')
  }

  private constructor(out: ZonedValues, field: number, isPlace: boolean) {
    this.#out = out
    this.#field = field
    this.#isPlace = isPlace
  }

  add(row: FieldRowReader): undefined {
    if (this.#isPlace) {
      this.#held[this.#used++] = row.lat(this.#field)
      this.#held[this.#used++] = row.lon(this.#field)
    } else this.#held[this.#used++] = row.number(this.#field)
    if (this.#used === HELD_NUMBERS) this.#flush()
  }

  async finish(): Promise<SegmentFile[]> {
    this.#flush()
    return [await this.#out.seal()]
  }

  close(): void {
    this.#out.close()
  }

  #flush(): void {
    this.#out.write(this.#held.subarray(0, this.#used))
    this.#used = 0
  }
}

export class BooleanColumn implements ColumnWriter {
  readonly #field: number
  readonly #file: ColumnFile
  readonly #values: PartWriter
  readonly #held = new Uint8Array(HELD_BOOLEANS)
  #used = 0

  static async create(place: ColumnPlace): Promise<BooleanColumn> {
    return new BooleanColumn(
      await ColumnFile.create(place, 'column', fixedColumnBytes('boolean', place.count)),
      place.field,
    )
  }

  private constructor(file: ColumnFile, field: number) {
    this.#field = field
    this.#file = file
    this.#values = file.part(0)
  }

  add(row: FieldRowReader): undefined {
    this.#held[this.#used++] = row.has(this.#field) ? row.number(this.#field) : MISSING_BOOLEAN
    if (this.#used === HELD_BOOLEANS) this.#flush()
  }

  async finish(): Promise<SegmentFile[]> {
    this.#flush()
    return [await this.#file.seal()]
  }

  close(): void {
    this.#file.close()
  }

  #flush(): void {
    this.#values.write(this.#held.subarray(0, this.#used))
    this.#used = 0
  }
}
