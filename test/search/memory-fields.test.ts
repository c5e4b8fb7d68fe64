import { describe, expect, it } from 'vitest'
import { FieldCodec } from '../../src/fields/field-codec.js'
import { assertFields } from '../../src/fields/schema.js'
import { planText } from '../../src/search/fields/text/plan-text.js'
import { searchText } from '../../src/search/fields/text/search-text.js'
import { MemoryFields } from '../../src/search/live/memory-fields.js'
import { randomNumbers } from '../fixtures/builds.js'
import { facetsOf, FIELD_SCHEMA, given, randomFields, type ModelFields } from '../fixtures/field-model.js'

const fields = assertFields(FIELD_SCHEMA)
const positionOf = (name: string): number => fields.findIndex((field) => field.name === name)

/** Records in two appends. */
function filled(seed: number): { records: ModelFields[]; memory: MemoryFields; appendMore: () => void } {
  const random = randomNumbers(seed)
  const records: ModelFields[] = []
  const memory = new MemoryFields(fields)
  const appendMore = (): void => {
    const more = Array.from({ length: 50 }, () => randomFields(random))
    memory.append(new FieldCodec(fields).encodeRecords(more.map(given), records.length))
    records.push(...more)
  }
  appendMore()
  return { records, memory, appendMore }
}

describe('fields of rows in memory', () => {
  it.each(['category', 'tags', 'inStock', 'price'] as const)('count the values of %s, each item once', (name) => {
    const { records, memory, appendMore } = filled(1)
    memory.facets(positionOf(name))
    appendMore()
    const odd = Uint32Array.of(0xaaaaaaaa, 0xaaaaaaaa, 0xaaaaaaaa, 0xaaaaaaaa)
    for (const [bits, rows] of [
      [undefined, records],
      [odd, records.filter((_, row) => row % 2 === 1)],
    ] as const) {
      const counted = memory.facets(positionOf(name), bits)
      expect(new Map(counted.map(({ value, count }) => [value, count]))).toEqual(facetsOf(rows, name))
      for (let i = 1; i < counted.length; i++) expect(counted[i].count).toBeLessThanOrEqual(counted[i - 1].count)
    }
  })

  it('find words in rows that came later too', () => {
    const { records, memory, appendMore } = filled(2)
    const title = positionOf('title')
    expect(memory.textOf(title).documents).toBe(records.filter((one) => one.title !== undefined).length)
    appendMore()
    const part = memory.textOf(title)
    const plan = planText([part], { text: 'solar', prefix: false })
    const rows = [...searchText([{ part, plan }], 1000).nodes].sort((a, b) => a - b)
    expect(rows).toEqual([...records.keys()].filter((row) => records[row].title?.includes('solar')))
  })
})
