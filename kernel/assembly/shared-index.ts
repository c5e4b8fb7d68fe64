// What threads that share one memory call: searches, each with a context of its own. Nothing here writes anywhere else. And
// what whoever fills that memory checks it with.
export { heapBase } from './heap'
export { firstUnsafeEntry, firstUnsafeRow } from './search/check-rows'
export { search, searchScan } from './search/search'
