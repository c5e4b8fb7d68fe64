import type { Id } from '../../api/vectors.js'
import type { FilterNode } from '../../fields/filter-node.js'
import type { FacetCount } from '../fields/facets.js'
import type { OpenFields } from '../fields/open-fields.js'
import type { TextPart } from '../fields/text/text-part.js'
import type { FoundId } from '../ids/best-ids.js'
import { searchIds } from '../ids/id-search.js'
import type { NodeFilter } from '../filter/node-filter.js'
import type { OpenGeneration } from '../open-generation.js'
import { searchFiltered } from '../search-filtered.js'
import type { AskedBeam, Part } from './part.js'

/** Rows with a graph: the base, or a sealed part. */
export class GraphPart implements Part {
  readonly name: string
  readonly open: OpenGeneration
  /** One for all rows, or one for each. */
  readonly #sequences: number | Float64Array

  constructor(name: string, open: OpenGeneration, sequences: number | Float64Array) {
    this.name = name
    this.open = open
    this.#sequences = sequences
  }

  get rows(): number {
    return this.open.facts.count
  }
  get nodes(): Uint32Array {
    return this.open.core.nodes
  }
  get distances(): Float32Array {
    return this.open.core.distances
  }

  search(query: Float32Array, asked: AskedBeam, filter: NodeFilter | undefined): number {
    const { core } = this.open
    return filter === undefined
      ? core.search(query, asked.k, asked.ef, asked.rerank)
      : searchFiltered(core, query, asked, filter)
  }

  searchIds(query: Float32Array, asked: AskedBeam, filter: NodeFilter | undefined): readonly FoundId[] {
    return searchIds(this.open, query, asked, filter)
  }

  compare(query: Float32Array, rows: Uint32Array, take: (at: number, distance: number) => void): void {
    let at = 0
    this.open.core.compare(query, rows, (_, distance) => take(at++, distance))
  }

  idOf(row: number): Id {
    return this.open.ids.idOf(row)
  }

  rowOf(id: Id): number | undefined {
    return this.open.lookup.nodeOf(id)
  }

  rowsOf(id: Id): readonly number[] {
    return this.open.lookup.nodesOf(id)
  }

  vectorOf(row: number): Float32Array {
    return this.open.core.vectorOf(row)
  }

  sequenceOf(row: number): number {
    return typeof this.#sequences === 'number' ? this.#sequences : this.#sequences[row]
  }

  select(filter: FilterNode): Uint32Array {
    return this.#fields.select(filter).bits
  }

  fieldRow(row: number): Uint8Array | undefined {
    return this.open.fields?.row(row)
  }

  textOf(field: number): TextPart {
    return this.#fields.text(field)
  }

  facets(field: number, bits?: Uint32Array): readonly FacetCount[] {
    return this.#fields.facets(field, bits)
  }

  close(): Promise<void> {
    return this.open.close()
  }

  get #fields(): OpenFields {
    if (this.open.fields === undefined) throw new Error(`${this.name} has no fields`)
    return this.open.fields
  }
}
