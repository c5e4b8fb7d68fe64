/**
 * One thread's compute kernel: a private WebAssembly memory, the SIMD functions over it, and a bump arena.
 *
 * The arena has stack discipline: `mark()`, any number of `alloc`s, `release(mark)`. Memory only ever grows (that is
 * how WebAssembly is), so a thread that is done with big work drops its Kernel.
 */
import { readFileSync } from 'node:fs'
import { InsufficientMemoryError, NoAddressSpaceError } from '../src/errors.js'
import type { KernelFunctions } from './kernel-functions.js'

export type { KernelFunctions } from './kernel-functions.js'

const PAGE_BYTES = 65_536
const MAX_PAGES = 65_536
const MIN_GROWTH_BYTES = 4 * 1024 * 1024

/** A shared one has the search functions only: a module is compiled for one kind of memory. */
type KernelKind = 'private' | 'shared'

// Compiled once per thread, however many kernels the thread makes.
const compiled = new Map<KernelKind, WebAssembly.Module>()

function kernelModule(kind: KernelKind): WebAssembly.Module {
  const name = kind === 'shared' ? './kernel-shared.wasm' : './kernel.wasm'
  const module = compiled.get(kind) ?? new WebAssembly.Module(readFileSync(new URL(name, import.meta.url)))
  compiled.set(kind, module)
  return module
}

// V8 reserves the addresses (not the memory) of every WebAssembly memory at once, with guard zones about 10 GB.
function reserveMemory(shared: boolean): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: MAX_PAGES, shared })
  } catch (cause) {
    throw new NoAddressSpaceError(cause)
  }
}

export class Kernel {
  /** Private to the thread, unless it was made to be shared. `memory.buffer` changes identity when it grows: take views late. */
  readonly memory: WebAssembly.Memory
  readonly fn: KernelFunctions
  /**
   * Brings a page into memory that a paged search asks for, or throws. One owner at a time: who searches pages in this
   * kernel. `context` is that of the search; kinds are the rows that are walked (0), links (1)
   * and the vectors of codes (2).
   */
  onMissingPage: (context: number, kind: number, page: number) => void = () => {
    throw new Error('a page is missing, and nobody loads pages in this kernel')
  }
  /** Time spent in the distance tile since this kernel was made: what a build would take if it did nothing else. */
  tileMs = 0
  readonly #heapBase: number
  #top: number

  private constructor(kind: KernelKind, memory: WebAssembly.Memory) {
    this.memory = memory
    const loadPage = (context: number, kind: number, page: number): void =>
      this.onMissingPage(context >>> 0, kind, page >>> 0)
    const instance = new WebAssembly.Instance(kernelModule(kind), { env: { memory: this.memory, loadPage } })
    this.fn = this.#timed(instance.exports as unknown as KernelFunctions)
    this.#heapBase = this.fn.heapBase() >>> 0
    this.#top = this.#heapBase
  }

  /** Synchronous: reads and compiles kernel.wasm, which lies beside this file, at the first call in a thread. */
  static create(): Kernel {
    return new Kernel('private', reserveMemory(false))
  }

  /** One whose memory other threads may search too (`over`). It has the search functions only. */
  static createShared(): Kernel {
    return new Kernel('shared', reserveMemory(true))
  }

  /** The same functions over a memory that `createShared` made in another thread, which alone allocates in it. */
  static over(memory: WebAssembly.Memory): Kernel {
    return new Kernel('shared', memory)
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
   * The address of `bytes` fresh bytes, not zeroed. May grow the memory, which detaches every view taken before.
   * `align` is a power of two. Throws InsufficientMemoryError when the memory cannot grow.
   */
  alloc(bytes: number, align = 16): number {
    if (!Number.isSafeInteger(bytes) || bytes < 0) throw new RangeError(`alloc of ${bytes} bytes`)
    const pointer = Math.ceil(this.#top / align) * align
    const end = pointer + bytes
    if (end > this.heldBytes) this.#growTo(end)
    this.#top = end
    return pointer
  }

  /**
   * Grows the memory at once to have room for allocations of `bytes` in all. The runtime collects garbage for every growth
   * by much: a few allocations that need one each take longer. Throws as `alloc` does.
   */
  reserve(bytes: number): void {
    if (this.#top + bytes > this.heldBytes) this.#growTo(this.#top + bytes)
  }

  mark(): number {
    return this.#top
  }

  /** Gives back everything allocated since `mark`. The memory stays with the kernel for the next alloc. */
  release(mark: number): void {
    if (!(mark >= this.#heapBase && mark <= this.#top)) {
      throw new RangeError(`release(${mark}) is not a mark between ${this.#heapBase} and ${this.#top}`)
    }
    this.#top = mark
  }

  /** The address of a view of this memory. Throws RangeError for another, and for one from before the memory grew. */
  addressOf(view: ArrayBufferView): number {
    if (view.buffer !== this.memory.buffer) throw new RangeError('this is no view of the memory of this kernel')
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

  /** Asking the clock twice takes 0.3 microseconds, 32 rows against 500 of 128 dimensions about 100. */
  #timed(exports: KernelFunctions): KernelFunctions {
    const timed =
      (name: 'distancesI16' | 'distancesF32'): KernelFunctions['distancesI16'] =>
      (queries, queryNorms, queryCount, panels, targetNorms, targetCount, gridDims, out, outStride) => {
        const start = performance.now()
        exports[name](queries, queryNorms, queryCount, panels, targetNorms, targetCount, gridDims, out, outStride)
        this.tileMs += performance.now() - start
      }
    return { ...exports, distancesI16: timed('distancesI16'), distancesF32: timed('distancesF32') }
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

  // A refused growth is the only thing that grow() throws for once the page count is in range: a RangeError.
  #tryGrow(pages: number): boolean {
    try {
      this.memory.grow(pages)
      return true
    } catch (error) {
      if (error instanceof RangeError) return false
      throw error
    }
  }
}
