/** Everything that is public. */
export { buildIndex } from './build/build-index.js'
export * from './errors.js'
export {
  exportIndex,
  type ExportFormat,
  type ExportOptions,
  type ExportProgress,
  type ExportReport,
} from './exports/export-index.js'
export { verifyIndex, type VerifyReport } from './format/verify.js'
export type { Manifest } from './format/manifest.js'
export { readManifest } from './format/read-manifest.js'
export { importIndex, type ImportOptions } from './imports/import-index.js'
export { estimateMemory, type EstimateOptions, type MemoryEstimate } from './memory/estimate-memory.js'
export {
  suggestStorage,
  type StorageFit,
  type StorageSuggestion,
  type SuggestStorageOptions,
} from './memory/suggest-storage.js'
export { openIndex } from './search/open-index.js'
export type { Index, IndexFacts } from './search/index-reader.js'
export type { NodeSet } from './search/node-set.js'
export { openVectorFile } from './sources/open-vector-file.js'
export type { VectorFile } from './sources/vector-file.js'
export type * from './types.js'
