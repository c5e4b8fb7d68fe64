/** Everything that is public. */
export { buildIndex } from './build/build-index.js'
export { defineConfig, type ShardloomConfig } from './config/define-config.js'
export * from './errors.js'
export {
  exportIndex,
  type ExportFormat,
  type ExportOptions,
  type ExportProgress,
  type ExportReport,
} from './exports/export-index.js'
export type { LabelKind } from './exports/labels.js'
export { verifyIndex, type VerifyProblem, type VerifyProgress, type VerifyReport } from './format/verify.js'
export type { EntryPoint, Manifest } from './format/manifest.js'
export { readManifest, type LiveGeneration } from './format/read-manifest.js'
export type { SegmentFile } from './format/segment-file.js'
export type { SegmentKind } from './format/segment-header.js'
export { importIndex, type ImportOptions } from './imports/import-index.js'
export { estimateMemory, type EstimateOptions, type MemoryEstimate } from './memory/estimate-memory.js'
export type { StageEstimate } from './memory/plan-build.js'
export {
  suggestStorage,
  type StorageFit,
  type StorageSuggestion,
  type SuggestStorageOptions,
} from './memory/suggest-storage.js'
export { failureMetrics, reportMetrics, type FailedBuild } from './metrics/build-metrics.js'
export { openIndex } from './search/open-index.js'
export type { Index, IndexFacts } from './search/index-reader.js'
export type { NodeSet } from './search/node-set.js'
export type { ByteStream } from './sources/byte-reader.js'
export { openVectorFile, type OpenVectorFileOptions } from './sources/open-vector-file.js'
export { readVectors, type VectorReader } from './sources/read-vectors.js'
export type { VectorFile, VectorFileFormat } from './sources/vector-file.js'
export type * from './types.js'
