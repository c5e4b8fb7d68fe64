import v8 from 'node:v8'

/**
 * Keeps V8 11.3 (Node 20) from inlining calls of WebAssembly into optimized JavaScript. With it, 5 of 300 builds of 20,000
 * vectors chose other leaders from the same sample, and so gave other bytes; without it none of 270. The flag holds for
 * the process. SIFT 100k builds take no more CPU with it.
 */
export function avoidInlinedCalls(): void {
  if (process.versions.node.startsWith('20.')) v8.setFlagsFromString('--no-turbo-inline-js-wasm-calls')
}
