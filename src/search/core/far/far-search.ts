/**
 * The far side of one thread's searches: hands the rows of an expansion to the kernels of the memories that have them,
 * one call for each memory, and puts the distances together. Only the query goes over, once per search and memory. What
 * a row's distance is does not depend on its memory, so hits are those of one memory that holds everything, to the bit.
 */
import { Kernel, type FarRows as FarHost } from '../../../../kernel/kernel.js'
import type { FarContext } from './far-context.js'
import { CONTEXT_FIELDS, contextWord } from '../search-context.js'

/** Far rows of one kind, as threads hand them to each other. */
export interface FarKind {
  /** What a search calls these rows. */
  readonly kind: number
  readonly partNodes: number
  readonly strideBytes: number
  readonly preparedBytes: number
  readonly parts: readonly { readonly memory: WebAssembly.Memory; readonly context: FarContext }[]
}

/** The search that walks: its kernel, and the address of its context. */
export interface NearSearch {
  readonly kernel: Kernel
  readonly context: number
  readonly dimensions: number
  /** The longest row of links. */
  readonly maxLinks: number
}

const SCALE_AT = CONTEXT_FIELDS.indexOf('preparedScale')
const BIAS_AT = CONTEXT_FIELDS.indexOf('preparedBias')

export class FarSearch implements FarHost {
  readonly #near: NearView
  /** By what a search calls the rows. */
  readonly #kinds: readonly (FarKindSearch | undefined)[]

  /** `kernels`: over the memories of the kinds, in their order; absent: made here. */
  constructor(near: NearSearch, kinds: readonly FarKind[], kernels?: readonly (readonly Kernel[])[]) {
    this.#near = new NearView(near)
    const byNumber: (FarKindSearch | undefined)[] = [undefined, undefined, undefined]
    for (const [i, kind] of kinds.entries()) {
      const own = kernels?.[i] ?? kind.parts.map(({ memory }) => Kernel.over(memory))
      byNumber[kind.kind] = new FarKindSearch(this.#near, near, kind, own)
    }
    this.#kinds = byNumber
  }

  /** Before each search: its query has not gone over yet. */
  newQuery(): void {
    for (const kind of this.#kinds) kind?.newQuery()
  }

  distances(kind: number, count: number, worst: number): void {
    this.#kindOf(kind).distances(count, worst)
  }

  equal(kind: number, a: number, b: number): boolean {
    return this.#kindOf(kind).equal(a, b)
  }

  #kindOf(kind: number): FarKindSearch {
    const found = this.#kinds[kind]
    if (found === undefined) throw new Error(`rows of kind ${kind} are not in another memory`)
    return found
  }
}

/** Views of the memory that walks. They get length 0 when it grows. */
class NearView {
  ids: Uint32Array = new Uint32Array(0)
  distances: Float32Array = new Float32Array(0)
  query: Float32Array = new Float32Array(0)
  words: Uint32Array = new Uint32Array(0)
  readonly #search: NearSearch

  constructor(search: NearSearch) {
    this.#search = search
  }

  refresh(): void {
    if (this.ids.length > 0) return
    const { kernel, context, dimensions, maxLinks } = this.#search
    this.ids = kernel.u32(contextWord(kernel, context, 'ids'), maxLinks)
    this.distances = kernel.f32(contextWord(kernel, context, 'distances'), maxLinks)
    this.query = kernel.f32(contextWord(kernel, context, 'query'), dimensions)
    this.words = kernel.u32(context, CONTEXT_FIELDS.length)
  }

  prepared(bytes: number): Uint8Array {
    const { kernel, context } = this.#search
    return kernel.u8(contextWord(kernel, context, 'prepared'), bytes)
  }
}

/** One memory of far rows. It never grows once it is filled, so its views stay. */
class PartSearch {
  readonly kernel: Kernel
  readonly context: number
  readonly ids: Uint32Array
  readonly distances: Float32Array
  /** For each of `ids`, its place in the search that walks. */
  readonly places: Uint32Array
  pending = 0
  /** The search whose query it has. */
  queryNumber = 0
  readonly #query: Float32Array
  readonly #prepared: Uint8Array
  readonly #words: Uint32Array

  constructor(
    kernel: Kernel,
    { context, query, prepared, ids, distances }: FarContext,
    near: NearSearch,
    bytes: number,
  ) {
    this.kernel = kernel
    this.context = context
    this.ids = kernel.u32(ids, near.maxLinks)
    this.distances = kernel.f32(distances, near.maxLinks)
    this.places = new Uint32Array(near.maxLinks)
    this.#query = kernel.f32(query, near.dimensions)
    this.#prepared = kernel.u8(prepared, bytes)
    this.#words = kernel.u32(context, CONTEXT_FIELDS.length)
  }

  takeQuery(near: NearView): void {
    this.#query.set(near.query)
    if (this.#prepared.length === 0) return
    this.#prepared.set(near.prepared(this.#prepared.length))
    this.#words[SCALE_AT] = near.words[SCALE_AT]
    this.#words[BIAS_AT] = near.words[BIAS_AT]
  }
}

class FarKindSearch {
  readonly #near: NearView
  readonly #partNodes: number
  readonly #parts: readonly PartSearch[]
  /** A row that is compared with one of the same memory, whose page may take its place. */
  readonly #row: Uint8Array
  #queryNumber = 0

  constructor(view: NearView, near: NearSearch, kind: FarKind, kernels: readonly Kernel[]) {
    this.#near = view
    this.#partNodes = kind.partNodes
    this.#row = new Uint8Array(kind.strideBytes)
    this.#parts = kind.parts.map(({ context }, i) => new PartSearch(kernels[i], context, near, kind.preparedBytes))
  }

  newQuery(): void {
    this.#queryNumber++
  }

  distances(count: number, worst: number): void {
    const near = this.#near
    near.refresh()
    const { ids, distances } = near
    const parts = this.#parts
    const partNodes = this.#partNodes
    // A search that threw on its way may have left some.
    for (const part of parts) part.pending = 0
    for (let i = 0; i < count; i++) {
      const node = ids[i]
      const number = Math.floor(node / partNodes)
      const part = parts[number]
      part.ids[part.pending] = node - number * partNodes
      part.places[part.pending++] = i
    }
    for (const part of parts) {
      const { pending } = part
      if (pending === 0) continue
      if (part.queryNumber !== this.#queryNumber) {
        part.takeQuery(near)
        part.queryNumber = this.#queryNumber
      }
      part.kernel.fn.searchDistances(part.context, pending, worst)
      for (let i = 0; i < pending; i++) distances[part.places[i]] = part.distances[i]
    }
  }

  /** Rare: of nodes at the same distance from the query. */
  equal(a: number, b: number): boolean {
    this.#row.set(this.#rowOf(a))
    return Buffer.compare(this.#row, this.#rowOf(b)) === 0
  }

  /** Valid until the next row of its memory is asked for. */
  #rowOf(node: number): Uint8Array {
    const number = Math.floor(node / this.#partNodes)
    const { kernel, context } = this.#parts[number]
    return kernel.u8(kernel.fn.searchRow(context, node - number * this.#partNodes) >>> 0, this.#row.length)
  }
}
