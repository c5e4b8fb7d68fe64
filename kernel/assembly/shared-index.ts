// What threads that share one memory call: searches, each with a context of its own. Nothing here writes anywhere else.
export { heapBase } from './heap'
export { search, searchScan } from './search'
