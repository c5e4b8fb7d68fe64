/**
 * One hnswlib-wasm instance per thread, loaded on first use and reused, because a WebAssembly heap never shrinks.
 *
 * The package is a browser build. Its factory needs a global `window`, and defines about 150 getters on `globalThis`
 * (`buffer`, `FS`, `GL`, …) that warn about emscripten symbols. All of this happens in the synchronous part of the
 * factory call, and the globals are restored before the first await, so no other code of the thread sees them. The
 * factory installs no process listeners (it is not compiled for Node). The engine runs in worker threads, each with its
 * own `globalThis`; the caller's main thread never loads this.
 */

import type { HnswlibModule, HnswlibOptions } from 'hnswlib-wasm/dist/hnswlib-317962d7.js'
import { EngineError } from '../../errors.js'

export const ENGINE = 'hnswlib-wasm'

export interface LoadedHnswlib {
  readonly module: HnswlibModule
  /** The last line that the module printed as an error, which says more than its exceptions. Reading clears it. */
  takeErrorLine(this: void): string | undefined
}

let loading: Promise<LoadedHnswlib> | undefined

/** This thread's instance. After a failed load, the next call tries again. */
export function loadHnswlib(): Promise<LoadedHnswlib> {
  if (loading === undefined) {
    const attempt = load()
    loading = attempt
    attempt.catch(() => dropHnswlib(attempt))
  }
  return loading
}

/** Forgets this thread's instance (or only `attempt`): after an error its heap cannot be trusted. */
export function dropHnswlib(attempt = loading): void {
  if (loading === attempt) loading = undefined
}

async function load(): Promise<LoadedHnswlib> {
  let errorLine: string | undefined
  const options: HnswlibOptions = {
    print: () => undefined,
    printErr: (line) => {
      errorLine = String(line)
    },
  }
  const takeErrorLine = (): string | undefined => {
    const line = errorLine
    errorLine = undefined
    return line
  }
  try {
    // Its 900 kB are for the builds with this engine only: every thread and the command line import the table of engines.
    const { default: factory } = await import('hnswlib-wasm/dist/hnswlib-317962d7.js')
    const module = await withBrowserGlobals(() => factory(options))
    return { module, takeErrorLine }
  } catch (cause) {
    throw new EngineError(ENGINE, `the module did not load: ${errorLine ?? String(cause)}`, cause)
  }
}

/** Runs `start` with a `window` and without `fetch`, then restores every global. */
function withBrowserGlobals<T>(start: () => T): T {
  const before: Record<PropertyKey, PropertyDescriptor> = Object.getOwnPropertyDescriptors(globalThis)
  try {
    define('window', {})
    // With `fetch` the module reads its embedded binary as a data: URL, which costs 10 MB and 20 ms of network stack.
    define('fetch', undefined)
    return start()
  } finally {
    restoreGlobals(before)
  }
}

function define(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { configurable: true, writable: true, value })
}

function restoreGlobals(before: Record<PropertyKey, PropertyDescriptor>): void {
  for (const name of Reflect.ownKeys(globalThis)) {
    const now = Object.getOwnPropertyDescriptor(globalThis, name)
    const then = Object.hasOwn(before, name) ? before[name] : undefined
    if (then === undefined) Reflect.deleteProperty(globalThis, name)
    else if (now?.value !== then.value || now?.get !== then.get) Object.defineProperty(globalThis, name, then)
  }
}
