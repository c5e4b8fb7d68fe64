// The part of WebAssembly that the loader uses. @types/node does not declare it, and lib.dom would add all browser
// types.
declare namespace WebAssembly {
  class Module {
    constructor(bytes: Uint8Array)
  }
  class Memory {
    constructor(descriptor: { initial: number; maximum: number; shared?: boolean })
    readonly buffer: ArrayBuffer
    grow(pages: number): number
  }
  class Instance {
    constructor(
      module: Module,
      imports: {
        env: {
          memory: Memory
          loadPage: (context: number, kind: number, page: number) => void
          loadRow: (context: number, kind: number, node: number) => number
          farDistances: (context: number, kind: number, count: number, worst: number) => void
          farEqual: (context: number, kind: number, a: number, b: number) => number
        }
      },
    )
    readonly exports: Record<string, unknown>
  }
}
