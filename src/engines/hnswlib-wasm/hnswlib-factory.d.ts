// The part of hnswlib-wasm 0.8.2 that this engine uses. The package has no `exports`, and its own types need a DOM.
// Only this file of the package, the emscripten module, runs in Node.
declare module 'hnswlib-wasm/dist/hnswlib-317962d7.js' {
  export default function factory(options: HnswlibOptions): Promise<HnswlibModule>

  export interface HnswlibOptions {
    print(this: void, line: string): void
    printErr(this: void, line: string): void
  }

  export interface HnswlibModule {
    readonly HierarchicalNSW: new (space: 'l2', dimensions: number, autoSaveFilename: string) => HnswlibIndex
    /** The module replaces both when the heap grows: read them from the module each time, never keep one. */
    readonly HEAPU32: Uint32Array
    readonly HEAPF32: Float32Array
    readonly asm: HnswlibExports
    /** C++ type name and what() of a thrown C++ exception. */
    getExceptionMessage(this: void, exception: unknown): [type: string, message: string]
  }

  export interface HnswlibExports {
    /** Returns 0 when the heap cannot grow. */
    malloc(bytes: number): number
    free(address: number): void
    readonly __indirect_function_table: FunctionTable
  }

  /** A WebAssembly.Table, of which only `get` is used. */
  export interface FunctionTable {
    readonly length: number
    get(index: number): unknown
  }

  export interface HnswlibIndex {
    initIndex(maxElements: number, m: number, efConstruction: number, randomSeed: number): void
    /** Frees the C++ object and all its memory. */
    delete(): void
    /** Embind's handle: `ptr` is the address of the C++ wrapper object. */
    readonly $$: { readonly ptr: number }
  }
}
