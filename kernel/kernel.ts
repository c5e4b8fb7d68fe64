/**
 * One thread's compute kernel: a private WebAssembly memory, the SIMD functions over it, and a bump arena.
 *
 * The arena has stack discipline: `mark()`, any number of `alloc`s, `release(mark)`. WebAssembly memory grows and never
 * shrinks, so a thread drops its Kernel after large work.
 */
import { readFileSync } from 'node:fs'
import { InsufficientMemoryError, NoAddressSpaceError } from '../src/errors.js'
import { ownFile } from '../src/own-files.js'
import type { BuildFunctions } from './build-functions.js'
import type { SearchFunctions } from './search-functions.js'
import { isError } from '../src/runtime/realms.js'
import { tileName } from './wide-tile.js'

export interface KernelFunctions extends BuildFunctions, SearchFunctions {}

const PAGE_BYTES = 65_536
const MAX_PAGES = 65_536
const MIN_GROWTH_BYTES = 4 * 1024 * 1024

/** Where the rows are that a search asks for and its memory does not have. `kind` as in `Kernel.onMissingPage`. */
export interface FarRows {
  /** Does for the rows in the search's `ids` what `searchDistances` does for rows of its own memory. */
  distances(kind: number, count: number, worst: number): void
  /** Whether two rows are the same, bit by bit. */
  equal(kind: number, a: number, b: number): boolean
}

const NO_FAR_ROWS: FarRows = {
  distances() {
    throw new Error('the rows are in another memory, and this kernel knows of none')
  },
  equal() {
    throw new Error('the rows are in another memory, and this kernel knows of none')
  },
}

/** A module is compiled for one kind of memory. The module for shared memory has the search functions only. */
type KernelKind = 'private' | 'shared'

// Compiled once per thread, for any number of kernels.
const compiled = new Map<KernelKind, WebAssembly.Module>()

function kernelModule(kind: KernelKind): WebAssembly.Module {
  tileName()
  const name = kind === 'shared' ? 'kernel-shared.wasm' : 'kernel.wasm'
  const module = compiled.get(kind) ?? new WebAssembly.Module(readFileSync(ownFile(`kernel/${name}`)))
  compiled.set(kind, module)
  return module
}

// V8 reserves addresses (not memory) for every WebAssembly memory up front: with guard zones about 10 GB.
function reserveMemory(shared: boolean): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES, shared })
  } catch (cause) {
    throw new NoAddressSpaceError(cause)
  }
}

export class Kernel {
  /**
   * Private to the thread, unless made by `createShared`. `memory.buffer` changes identity when it grows: take views
   * late.
   */
  readonly memory: WebAssembly.Memory
  readonly fn: KernelFunctions
  /**
   * Loads a page that a paged search needs, or throws. Set by the one SearchCore that pages in this kernel. `context`:
   * the search's; `kind`: rows that are walked (0), links (1), or the vectors behind quantized vectors (2).
   */
  onMissingPage: (context: number, kind: number, page: number) => void = () => {
    throw new Error('a page is missing, and this kernel has no page loader')
  }
  /** As `onMissingPage`, for one row of a table whose rows may be loose: its address, or 0 for "load pages". */
  onMissingRow: (context: number, kind: number, node: number) => number = () => 0
  /** Rows in other memories. Set by the one SearchCore that has such rows. */
  far: FarRows = NO_FAR_ROWS
  /** Time spent in `TypedOps.distances` since this kernel was made: a lower bound for the time of a build. */
  tileMs = 0
  readonly #kind: KernelKind
  readonly #heapBase: number
  #top: number
  /** Nothing above it was ever given out: it is zero. */
  #highest: number

  private constructor(kind: KernelKind, memory: WebAssembly.Memory) {
    this.#kind = kind
    this.memory = memory
    const loadPage = (context: number, kind: number, page: number): void =>
      this.onMissingPage(context >>> 0, kind, page >>> 0)
    const farDistances = (_: number, table: number, count: number, worst: number): void =>
      this.far.distances(table, count, worst)
    const farEqual = (_: number, table: number, a: number, b: number): number =>
      this.far.equal(table, a >>> 0, b >>> 0) ? 1 : 0
    const loadRow = (context: number, kind: number, node: number): number =>
      this.onMissingRow(context >>> 0, kind, node >>> 0)
    const env = { memory: this.memory, loadPage, loadRow, farDistances, farEqual }
    const instance = new WebAssembly.Instance(kernelModule(kind), { env })
    this.fn = instance.exports as unknown as KernelFunctions
    this.#heapBase = this.fn.heapBase() >>> 0
    this.#top = this.#heapBase
    this.#highest = this.#top
  }

  /** Synchronous. The first call in a thread reads and compiles kernel.wasm. */
  static create(): Kernel {
    return new Kernel('private', reserveMemory(false))
  }

  /** A kernel whose memory other threads can search too (`over`). It has the search functions only. */
  static createShared(): Kernel {
    return new Kernel('shared', reserveMemory(true))
  }

  /** A kernel over a memory that `createShared` made in another thread. Only that thread may allocate in it. */
  static over(memory: WebAssembly.Memory): Kernel {
    return new Kernel('shared', memory)
  }

  /** A kernel of the same kind over a memory of its own. */
  another(): Kernel {
    return new Kernel(this.#kind, reserveMemory(this.#kind === 'shared'))
  }

  /** Bytes of linear memory held now, in use or not. */
  get heldBytes(): number {
    return this.memory.buffer.byteLength
  }

  /** Bytes of the arena in use now. */
  get usedBytes(): number {
    return this.#top - this.#heapBase
  }

  /**
   * Returns the address of `bytes` bytes, not zeroed. May grow the memory, which detaches every view taken before.
   * `align` is a power of two. Throws InsufficientMemoryError when the memory cannot grow.
   */
  alloc(bytes: number, align = 16): number {
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new RangeError(`alloc of ${bytes} bytes`)
    const pointer = Math.ceil(this.#top / align) * align
    const end = pointer + bytes
    if (end > this.heldBytes) this.#growTo(end)
    this.#top = end
    this.#highest = Math.max(this.#highest, end)
    return pointer
  }

  /** As `alloc`, zeroed. Memory that was never in use is zero, and takes memory of the system only when it is used. */
  allocZeroed(bytes: number, align = 16): number {
    const usedBefore = this.#highest
    const pointer = this.alloc(bytes, align)
    const dirty = Math.min(bytes, usedBefore - pointer)
    if (dirty > 0) this.u8(pointer, dirty).fill(0)
    return pointer
  }

  /**
   * Grows the memory once for allocations of `bytes` in total. Every large growth makes the runtime collect garbage, so
   * several allocations that each grow the memory take longer. Throws as `alloc` does.
   */
  reserve(bytes: number): void {
    if (this.#top + bytes > this.heldBytes) this.#growTo(this.#top + bytes)
  }

  mark(): number {
    return this.#top
  }

  /** Releases everything allocated since `mark`. The kernel keeps the memory for later allocations. */
  release(mark: number): void {
    if (!(mark >= this.#heapBase && mark <= this.#top)) {
      throw new RangeError(`release(${mark}) is not a mark between ${this.#heapBase} and ${this.#top}`)
    }
    this.#top = mark
  }

  /**
   * The address of a view of this memory. Throws RangeError for other views, and for views from before the memory grew.
   */
  addressOf(view: ArrayBufferView): number {
    if (view.buffer !== this.memory.buffer) throw new RangeError('the view is not over the memory of this kernel')
    return view.byteOffset
  }

  u8(pointer: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, pointer, length)
  }
  i16(pointer: number, length: number): Int16Array {
    return new Int16Array(this.memory.buffer, pointer, length)
  }
  i32(pointer: number, length: number): Int32Array {
    return new Int32Array(this.memory.buffer, pointer, length)
  }
  u32(pointer: number, length: number): Uint32Array {
    return new Uint32Array(this.memory.buffer, pointer, length)
  }
  f32(pointer: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, pointer, length)
  }
  f64(pointer: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, pointer, length)
  }

  #growTo(endBytes: number): void {
    const heldBytes = this.heldBytes
    const heldPages = heldBytes / PAGE_BYTES
    const neededPages = Math.ceil(endBytes / PAGE_BYTES) - heldPages
    const stepPages = Math.ceil(Math.max(heldBytes / 8, MIN_GROWTH_BYTES) / PAGE_BYTES)
    const roomPages = MAX_PAGES - heldPages
    if (neededPages > roomPages) {
      throw new InsufficientMemoryError({
        neededBytes: endBytes,
        availableBytes: MAX_PAGES * PAGE_BYTES,
        stage: 'kernel memory',
        help: 'one kernel addresses 4 GiB at most; use smaller shards or batches',
      })
    }
    if (this.#tryGrow(Math.min(Math.max(neededPages, stepPages), roomPages))) return
    if (this.#tryGrow(neededPages)) return
    throw new InsufficientMemoryError({
      neededBytes: endBytes,
      availableBytes: heldBytes,
      stage: 'kernel memory',
      help: `the system refused to grow it by ${neededPages * PAGE_BYTES} bytes; use fewer threads or smaller shards`,
    })
  }

  // With the page count in range, grow() throws a RangeError only when the system refuses to grow the memory.
  #tryGrow(pages: number): boolean {
    try {
      this.memory.grow(pages)
      return true
    } catch (error) {
      if (isError(error) && error.name === 'RangeError') return false
      throw error
    }
  }
}
