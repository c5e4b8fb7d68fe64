/**
 * CSV and TSV, with names in the first line or without: the vector as a text such as [1, 2] in one column, or a number in
 * each of several columns. Ids are text. Also what `COPY … TO` of Postgres writes. May be compressed with gzip or zstd.
 */
import { InvalidFileError } from '../../errors.js'
import type { FieldType } from '../../api/fields.js'
import { MAX_DIMENSIONS } from '../../api/vectors.js'
import { messageOf } from '../../runtime/realms.js'
import { wantedFields } from '../fields/wanted-fields.js'
import type { ReadOptions, ReadPlan } from '../vector-file.js'
import { csvLayout, isHeader, numberedNames, type CsvLayout, type CsvNames } from './csv-layout.js'
import { csvBlocks, delimiterOf, fieldsOf } from './csv-records.js'
import { fieldOfText } from './field-text.js'
import { planTexts, refuseText, type TextPlace } from './plan-texts.js'
import type { LineRecord } from './row-gatherer.js'
import { isNothing, isNumber, numberOf, vectorOfText } from './vector-text.js'

const MAX_RECORD_BYTES = 64 * 1024 * 1024

/** `delimiter` is undefined where the first line tells. */
export function planCsv(delimiter: string | undefined, options: ReadOptions): ReadPlan {
  // A cell is text: what else it is meant to be, only the caller knows.
  const fields = options.fields && wantedFields(options.fields).map(({ name, type = 'keyword' }) => ({ name, type }))
  return planTexts(
    {
      blocks: (text) => csvBlocks(text, delimiter, MAX_RECORD_BYTES),
      parser: () => new CsvParser(delimiter, options, fields).parse,
      ...(fields && { fields }),
    },
    options,
  )
}

interface CsvField {
  readonly name: string
  readonly type: FieldType
}

class CsvParser {
  #delimiter: string | undefined
  readonly #options: CsvNames
  readonly #fields: readonly CsvField[] | undefined
  #names: readonly string[] | undefined
  #layout: CsvLayout | undefined

  constructor(delimiter: string | undefined, options: ReadOptions, fields: readonly CsvField[] | undefined) {
    this.#delimiter = delimiter
    const { vectorColumn, idColumn } = options
    this.#options = { vectorColumn, idColumn, fields: fields?.map(({ name }) => name) }
    this.#fields = fields
  }

  readonly parse = (record: string, place: TextPlace): readonly LineRecord[] => {
    if (record.trim() === '') return []
    this.#delimiter ??= delimiterOf(record.split('\n', 1)[0])
    const fields = fieldsOf(record, this.#delimiter)
    if (fields === undefined) throw refuseText(place, 'has something between the end of a quote and the next field')
    if (this.#names === undefined) {
      const hasNames = isHeader(fields, this.#options)
      this.#names = hasNames ? fields : numberedNames(fields.length)
      if (hasNames) return []
    }
    this.#layout ??= this.#layoutOf(this.#names, fields, place.path)
    const row = recordOf(fields, this.#names, this.#layout, place)
    return [this.#fields === undefined ? row : withFields(row, fields, this.#fields, this.#layout)]
  }

  #layoutOf(names: readonly string[], first: readonly string[], path: string): CsvLayout {
    const layout = csvLayout(names, first, this.#options)
    if (typeof layout === 'string') throw new InvalidFileError(path, layout)
    if (typeof layout.vector === 'number' || layout.vector.length <= MAX_DIMENSIONS) return layout
    const reason = `it has ${layout.vector.length} columns of numbers, expected at most ${MAX_DIMENSIONS}`
    throw new InvalidFileError(path, reason)
  }
}

/** A cell that is no value of its field makes a record that has failed, as one without a vector. */
function withFields(
  record: LineRecord,
  cells: readonly string[],
  fields: readonly CsvField[],
  { columns }: CsvLayout,
): LineRecord {
  const values: unknown[] = []
  for (const [i, { name, type }] of fields.entries()) {
    try {
      values.push(fieldOfText(cells[columns[i]], type))
    } catch (error) {
      const failure = `has ${messageOf(error)} in column ${JSON.stringify(name.slice(0, 60))}`
      return { id: record.id, vector: undefined, failure: record.failure ?? failure }
    }
  }
  return { ...record, fields: values }
}

function recordOf(
  fields: readonly string[],
  names: readonly string[],
  { fields: expected, vector, id: idColumn }: CsvLayout,
  place: TextPlace,
): LineRecord {
  if (fields.length !== expected) {
    throw refuseText(place, `has ${fields.length} fields, expected ${expected} as in the first line`)
  }
  const id = idColumn === undefined ? undefined : fields[idColumn]
  if (id === '') throw refuseText(place, `has no id in column ${JSON.stringify(names[idColumn as number])}`)
  if (typeof vector === 'number') {
    const text = fields[vector]
    const column = `in column ${JSON.stringify(names[vector].slice(0, 60))}`
    if (isNothing(text)) return { id, vector: undefined, failure: `has no vector ${column}` }
    const values = vectorOfText(text)
    if (typeof values === 'string') throw refuseText(place, `has ${values} ${column}`)
    return values.length > 0
      ? { id, vector: values }
      : { id, vector: undefined, failure: `has an empty vector ${column}` }
  }
  const values = new Float32Array(vector.length)
  for (let i = 0; i < vector.length; i++) {
    const text = fields[vector[i]]
    const column = (): string => `in column ${JSON.stringify(names[vector[i]].slice(0, 60))}`
    if (isNothing(text)) return { id, vector: undefined, failure: `has no number ${column()}` }
    if (!isNumber(text))
      throw refuseText(place, `has ${JSON.stringify(text.slice(0, 40))} ${column()}, expected a number`)
    values[i] = numberOf(text)
  }
  return { id, vector: values }
}
