// The exports of kernel-shared.wasm, for threads that share one memory: searches, which write only in their own
// context or block, and the checks of what is loaded into that memory.
export { heapBase } from './heap'
export { firstUnsafeEntry, firstUnsafeRow } from './search/check-rows'
export { scanNearest } from './search/scan-nearest'
export { search, searchDistances, searchRow, searchScan } from './search/search'
