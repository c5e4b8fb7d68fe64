/** Everything that is public. */
// First: an old Node.js and a bundle are refused before anything else is evaluated.
import './host/check-host.js'
export { buildIndex } from './pipeline/build-index.js'
export { defineConfig, type ShardloomConfig } from './options/config/define-config.js'
export * from './errors.js'
export { exportIndex, type ExportOptions, type ExportReport } from './interop/export-index.js'
export {
  verifyIndex,
  type VerifiedLive,
  type VerifyProblem,
  type VerifyProgress,
  type VerifyReport,
} from './format/verify/verify-index.js'
export type { EntryPoint, Manifest } from './format/generation/manifest.js'
export { readManifest, type LiveGeneration } from './format/generation/read-manifest.js'
export type { Field } from './fields/field.js'
export type { FieldFileKind } from './format/segment/field-files.js'
export type { SegmentFile } from './format/segment/segment-file.js'
export type { SegmentKind } from './format/segment/segment-file.js'
export { importIndex, type ImportOptions } from './interop/import-index.js'
export { estimateMemory, type EstimateOptions, type MemoryEstimate } from './pipeline/estimate-memory.js'
export type { StageEstimate } from './plan/plan-build.js'
export {
  suggestQuantization,
  suggestStorage,
  type QuantizationFit,
  type QuantizationSuggestion,
  type SuggestQuantizationOptions,
} from './plan/suggest-quantization.js'
export { liveMetrics } from './report/metrics/live-metrics.js'
export { failureMetrics, reportMetrics, type FailedBuild } from './report/metrics/report-metrics.js'
export { createIndex } from './live/create-index.js'
export { openIndex } from './live/open-index.js'
export { readIndex } from './live/read-index.js'
export type { LiveIndex } from './live/live-index.js'
export type { VectorIndex, VectorIndex as Index } from './search/vector-index.js'
export type { ByteStream } from './sources/bytes/byte-reader.js'
export type { FieldsToRead } from './sources/fields/wanted-fields.js'
export { runWorker } from './cluster/worker/run-worker.js'
export { openVectorFile, type OpenVectorFileOptions } from './sources/open-vector-file.js'
export { readVectors, type VectorReader } from './sources/read-vectors.js'
export type { VectorFile, VectorFileFormat } from './sources/vector-file.js'
export type * from './api/build.js'
export type * from './api/fields.js'
export type * from './api/interop.js'
export type * from './api/live.js'
export type * from './api/measure.js'
export type * from './api/report.js'
export type * from './api/search.js'
export type * from './api/vectors.js'
export type * from './api/worker.js'
