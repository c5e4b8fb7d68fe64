/** The types of fields that are given by name alone, from the first records of JSON lines. */
import { InvalidFileError } from '../../errors.js'
import { nearColumn, noColumn } from '../fields/choose-type.js'
import { isMissing, jsonValueAt, typeOfValues, type JsonField } from '../fields/json-values.js'
import type { WantedField } from '../fields/wanted-fields.js'

/** Records that are looked at, and characters, of which vectors are most. */
export const LOOKED_AT = { records: 1_000, characters: 8 << 20 } as const
const MAX_NAMES = 1_000

/** What the first records have under the names of fields. */
export class FirstRecords {
  readonly #path: string
  readonly #wanted: readonly WantedField[]
  readonly #values: unknown[][]
  readonly #met: boolean[]
  readonly #names = new Set<string>()
  #records = 0
  #characters = 0

  constructor(path: string, wanted: readonly WantedField[]) {
    this.#path = path
    this.#wanted = wanted
    this.#values = wanted.map(() => [])
    this.#met = wanted.map(() => false)
  }

  /** True: no more records are needed. */
  get isEnough(): boolean {
    return this.#records >= LOOKED_AT.records || this.#characters >= LOOKED_AT.characters
  }

  add(record: object, characters: number): void {
    this.#records++
    this.#characters += characters
    for (const name of Object.keys(record)) if (this.#names.size < MAX_NAMES) this.#names.add(name)
    for (const [i, { name }] of this.#wanted.entries()) {
      const value = jsonValueAt(record, name)
      if (value !== undefined) this.#met[i] = true
      if (!isMissing(value)) this.#values[i].push(value)
    }
  }

  /** @throws InvalidFileError for a field that no record has, and for one whose values do not tell its type */
  fields(): readonly JsonField[] {
    return this.#wanted.map(({ name, type }, i) => {
      if (
        !this.#met[i] &&
        this.#records > 0 &&
        (type === undefined || nearColumn(name, this.#columns()) !== undefined)
      ) {
        const rare = `if it comes later, give the first record "${name}": null`
        const fix = type === undefined ? `${rare}, and a type: ${name}:keyword` : rare
        throw new InvalidFileError(this.#path, `${noColumn(name, this.#columns(), 'field')}; ${fix}`)
      }
      if (type !== undefined) return { name, type }
      if (this.#values[i].length > 0 || this.#records === 0) return { name, type: typeOfValues(this.#values[i]) }
      const reason = `its first ${this.#records} records have no value of field ${JSON.stringify(name)}`
      throw new InvalidFileError(this.#path, `${reason}; give its type: ${name}:keyword`)
    })
  }

  #columns(): { name: string }[] {
    return [...this.#names].map((name) => ({ name }))
  }
}
