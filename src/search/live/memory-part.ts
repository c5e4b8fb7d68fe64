import { sequenceOf, type Change } from '../../format/live/log-change.js'
import type { Id, Metric } from '../../api/vectors.js'
import type { Field } from '../../fields/field.js'
import type { FilterNode } from '../../fields/filter-node.js'
import { ExactRows } from '../core/exact-rows.js'
import { BestIds, type FoundId } from '../ids/best-ids.js'
import type { NodeFilter } from '../filter/node-filter.js'
import type { FacetCount } from '../fields/facets.js'
import type { MemoryTextIndex } from '../fields/text/memory-text-index.js'
import { LIVE_LIMITS } from './limits.js'
import { MemoryFields } from './memory-fields.js'
import type { AskedBeam, Part } from './part.js'

/** Rows that a search for k ids finds first, for each of them, and how many times as many it finds next. */
const FIRST_SCAN = 2
const SCAN_GROWTH = 4

interface MemoryShape {
  readonly dimensions: number
  readonly metric: Metric
  readonly fields?: readonly Field[]
}

/** Rows in memory, which are compared one by one: changes that are not sealed, or a part too small for a graph. */
export class MemoryPart implements Part {
  readonly name: string
  /** Ids that were deleted and did not come back, and the number of the change that said so. */
  readonly deletes = new Map<Id, number>()
  readonly #rows: ExactRows
  readonly #ids: Id[] = []
  readonly #sequences: number[] = []
  /** The newest row of each id. */
  readonly #rowOf = new Map<Id, number>()
  /** By row: the one before it of the same id, or -1. */
  readonly #before: number[] = []
  readonly #fields: MemoryFields | undefined

  constructor(name: string, { dimensions, metric, fields }: MemoryShape) {
    this.name = name
    this.#fields = fields && new MemoryFields(fields)
    this.#rows = new ExactRows({ dimensions, metric, capacity: 2 * LIVE_LIMITS.memoryRows })
  }

  get rows(): number {
    return this.#ids.length
  }
  get bytes(): number {
    return this.#rows.bytes + (this.#fields?.heldBytes ?? 0)
  }
  /** Of the fields of its rows. */
  get fieldBytes(): number {
    return this.#fields?.size ?? 0
  }
  get nodes(): Uint32Array {
    return this.#rows.rows
  }
  get distances(): Float32Array {
    return this.#rows.distances
  }

  /** Adds the rows of an upsert, with fields where the index has such. Returns the first one. */
  append(change: Change): number {
    const { ids, vectors, fields } = change
    if ((fields === undefined) !== (this.#fields === undefined)) throw new Error(`${this.name}: rows of other fields`)
    const first = this.#ids.length
    if (fields !== undefined) this.#fields?.append(fields)
    this.#rows.append(vectors)
    for (let i = 0; i < ids.length; i++) {
      this.#ids.push(ids[i])
      this.#sequences.push(sequenceOf(change, i))
      this.#before.push(this.#rowOf.get(ids[i]) ?? -1)
      this.#rowOf.set(ids[i], first + i)
      this.deletes.delete(ids[i])
    }
    return first
  }

  search(query: Float32Array, { k }: AskedBeam, filter: NodeFilter | undefined): number {
    return this.#rows.scan(query, k, filter && (filter.bits ?? bitsOf(filter, this.rows)))
  }

  searchIds(query: Float32Array, { k }: AskedBeam, filter: NodeFilter | undefined): readonly FoundId[] {
    const bits = filter && (filter.bits ?? bitsOf(filter, this.rows))
    for (let wanted = FIRST_SCAN * k; ; wanted *= SCAN_GROWTH) {
      const found = this.#rows.scan(query, wanted, bits)
      const best = new BestIds(k)
      for (let i = 0; i < found && !best.isFull; i++) {
        best.add(this.#ids[this.nodes[i]], this.nodes[i], this.distances[i])
      }
      // Rows of one id took the places of others.
      if (best.isFull || found < wanted) return best.found
    }
  }

  compare(query: Float32Array, rows: Uint32Array, take: (at: number, distance: number) => void): void {
    const bits = new Uint32Array(Math.ceil(this.rows / 32))
    for (const row of rows) bits[row >>> 5] |= 1 << (row & 31)
    const found = this.#rows.scan(query, rows.length, bits)
    const places = new Map<number, number>()
    for (const [at, row] of rows.entries()) places.set(row, at)
    for (let i = 0; i < found; i++) take(places.get(this.nodes[i]) ?? 0, this.distances[i])
  }

  idOf(row: number): Id {
    return this.#ids[row]
  }

  rowOf(id: Id): number | undefined {
    return this.#rowOf.get(id)
  }

  rowsOf(id: Id): readonly number[] {
    const rows: number[] = []
    for (let row = this.#rowOf.get(id) ?? -1; row >= 0; row = this.#before[row]) rows.push(row)
    return rows.reverse()
  }

  vectorOf(row: number): Float32Array {
    return this.#rows.vectorOf(row)
  }

  /** A copy of all rows, dead ones too. */
  vectors(): Float32Array {
    return this.#rows.vectors(0, this.rows)
  }

  sequenceOf(row: number): number {
    return this.#sequences[row]
  }

  select(filter: FilterNode): Uint32Array {
    return this.#ofFields.select(filter)
  }

  fieldRow(row: number): Uint8Array | undefined {
    return this.#fields?.row(row)
  }

  textOf(field: number): MemoryTextIndex {
    return this.#ofFields.textOf(field)
  }

  facets(field: number, bits?: Uint32Array): readonly FacetCount[] {
    return this.#ofFields.facets(field, bits)
  }

  get #ofFields(): MemoryFields {
    if (this.#fields === undefined) throw new Error(`${this.name} has no fields`)
    return this.#fields
  }

  /** The memory is freed with the object. */
  close(): Promise<void> {
    return Promise.resolve()
  }
}

function bitsOf(filter: NodeFilter, rows: number): Uint32Array {
  const bits = new Uint32Array(Math.ceil(rows / 32))
  for (const row of filter.nodes()) bits[row >>> 5] |= 1 << (row & 31)
  return bits
}
