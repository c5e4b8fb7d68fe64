import * as v from 'valibot'
import { BUILD_OPTIONS } from './build-options.js'
import { choice, name, option } from './option-values.js'
import { SHARED_OPTIONS } from './shared-options.js'

const { path, quantization, memory, threads, tempDir, minRecall, keepGenerations, force } = BUILD_OPTIONS
const { signal, onProgress, logger } = BUILD_OPTIONS

export const IMPORT_OPTIONS = {
  path,
  dimensions: option(SHARED_OPTIONS.dimensions, 'length of every vector', {
    doc: 'length of the vectors. The file does not state its type of numbers: this is checked against the bytes of one',
  }),
  metric: option(SHARED_OPTIONS.metric, 'l2, cosine or ip', {
    doc: "what the file was built with, which it does not state. Under 'cosine' every vector must have unit length",
  }),
  ids: v.optional(
    option(name('a path'), 'file with one id a line, for labels 0, 1, 2, …: text, or JSON in a .jsonl', {
      value: 'FILE',
      fallback: 'the labels',
      doc:
        'file with the id of label n in line n, from 0, for a file whose labels are 0, 1, 2, …: text, or JSON in a ' +
        '`.jsonl`',
    }),
  ),
  duplicates: v.optional(
    option(choice(['error', 'keep']), 'a label or id given twice: error, or keep all its vectors', {
      value: 'P',
      doc:
        "what to do with a label or an id that is given twice: 'error', or 'keep' all its vectors, which a search then " +
        'finds as one. The file does not say which one is newer',
    }),
    'error',
  ),
  quantization,
  memory,
  threads,
  tempDir,
  minRecall,
  keepGenerations,
  force,
  signal,
  onProgress,
  logger,
} as const

export const importOptionsSchema = v.strictObject(IMPORT_OPTIONS)
