/** The options that more than one function or command takes, each defined once. */
import * as v from 'valibot'
import type { Logger, ProgressEvent } from '../api/build.js'
import { ENGINE_NAMES, QUANTIZATIONS } from '../api/report.js'
import { METRICS } from '../api/vectors.js'
import { MAX_DIMENSIONS, MAX_THREADS, MAX_UINT32 } from './limits.js'
import { callable, choice, flag, integer, name, numberFrom, option, share, size } from './option-values.js'

/** The default of `engine`. */
export const DEFAULT_ENGINE = 'pipnn'
export const DEFAULT_M = 16
/** The default of `k`. */
export const DEFAULT_K = 10
export const DEFAULT_SEED = 1

const AVAILABLE_MEMORY = 'the free memory'
const MEMORY_UNITS = "in bytes, or as text: '512MB' is 512 x 10^6, '2GiB' and '2G' are 2 x 2^30"

export const SHARED_OPTIONS = {
  metric: option(choice(METRICS), 'l2, cosine or ip', {
    value: 'M',
    type: 'Metric',
    doc: "'l2': squared Euclidean; 'cosine': 1 − cos; 'ip': −(inner product). Smaller is nearer in each",
  }),
  dimensions: option(integer(1, MAX_DIMENSIONS), 'length of every vector', {
    value: 'N',
    doc: 'length of every vector, 1 to 65,536',
  }),
  m: option(integer(4, 64), 'links per node, 4 to 64; twice that on level 0', {
    value: 'N',
    doc: 'links per node on levels above 0, 4 to 64; level 0 holds up to 2m',
  }),
  engine: option(choice(ENGINE_NAMES), `what links the vectors of a shard: ${ENGINE_NAMES.join(' or ')}`, {
    value: 'E',
    type: 'EngineName',
    doc: "what links the vectors of a shard; 'hnswlib-wasm', the reference, takes four times as long as 'pipnn'",
  }),
  quantization: option(choice(QUANTIZATIONS), 'what searches compare: f32, f16, sq8, pq or binary', {
    value: 'S',
    type: 'Quantization',
    doc:
      "what searches compare: the vectors ('f32'), or quantized vectors beside them: 'f16', 'sq8', 'pq', or " +
      "'binary', one bit of each component, which needs metric 'cosine' and suits embeddings of 256 dimensions and more",
  }),
  memory: option(size(), 'memory budget, as 512MB or 2GiB', {
    value: 'SIZE',
    fallback: AVAILABLE_MEMORY,
    doc: `memory budget ${MEMORY_UNITS}. Free memory is what the machine or its cgroup has left`,
  }),
  /** The memory of an open index. */
  openMemory: option(size(), 'memory of the open index, as 512MB or 2GiB', {
    value: 'SIZE',
    fallback: AVAILABLE_MEMORY,
    doc:
      `memory that the index may hold, ${MEMORY_UNITS}. The whole index stays in memory once read when it fits; ` +
      'otherwise pages come and go',
  }),
  threads: option(integer(1, MAX_THREADS), 'worker threads at most', { value: 'N', fallback: 'the cores' }),
  tempDir: option(name('a path'), 'folder of temporary files', {
    value: 'DIR',
    isPath: true,
    fallback: 'build/ in the index',
  }),
  seed: option(integer(0, MAX_UINT32), 'seed of all random choices', { value: 'N' }),
  minRecall: option(numberFrom(0, 1), 'do not publish below this measured recall@10', {
    value: 'R',
    fallback: 'none',
    doc: 'do not publish an index whose measured recall@10 (at ef 64) is below this, 0 to 1',
  }),
  force: option(flag(), 'build into a folder that is no index and holds other files, beside them', {
    doc:
      'build into a folder that is no index and holds other files; otherwise it is refused. No file that is not of a ' +
      'build is deleted or replaced in either case',
  }),
  keepGenerations: option(integer(0, 1000), 'old generations kept beside the live one', { value: 'N' }),
  k: option(integer(1, MAX_UINT32), 'neighbours of each query', { value: 'N', flag: '-k' }),
  ef: option(integer(1, MAX_UINT32), 'beam width: a higher one finds more and takes longer', {
    value: 'N',
    fallback: 'as tuned, else 64',
    doc:
      'beam width at level 0; at least k is used. A higher one finds more and takes longer. What `tune` stored ' +
      'for the next larger k counts too',
  }),
  rerank: option(integer(1, MAX_UINT32), 'best candidates by quantized vectors to score again by vectors', {
    value: 'N',
    fallback: 'by the quantization',
    doc:
      'how many of the best candidates by their quantized vectors are scored again by their vectors; at least k, and ' +
      'the beam is never narrower: 2k by default, and for pq and binary the whole beam, at least 5k and 10k. ' +
      'Distances are always distances of the vectors',
  }),
  sample: option(integer(1, MAX_UINT32), 'vectors of the index to search for', {
    value: 'N',
    doc:
      'number of vectors of the index that become queries, spread over all nodes; each is left out of its own ' +
      'neighbours. They are easier to find than new queries: prefer `queries`',
  }),
  targetRecall: option(share(), 'choose the smallest ef that reaches this recall, and store it with the index', {
    value: 'R',
    fallback: 'none',
  }),
  quiet: option(flag(), 'print nothing but errors'),
  signal: option(
    callable<AbortSignal>('an AbortSignal', ['addEventListener', 'removeEventListener']),
    'an AbortSignal',
    {
      noFlag: true,
      fallback: 'none',
      type: 'AbortSignal',
      doc: 'an `AbortSignal`; once it fires the call rejects with `SHARDLOOM_ABORTED`',
    },
  ),
  onProgress: option(callable<(event: ProgressEvent) => void>('a function'), 'called as the work goes on', {
    noFlag: true,
    fallback: 'none',
    type: '(event: ProgressEvent) => void',
    doc: 'called about ten times a second at most, with the stage, what is done and the memory in use',
  }),
  logger: option(callable<Logger>('an object with the methods info and warn', ['info', 'warn']), 'info and warn', {
    noFlag: true,
    fallback: 'silent',
    type: 'Logger',
    doc: 'an object with the methods `info(message)` and `warn(message)`: `console` or pino',
  }),
} as const

/** Another way to write `--out`. */
export const OUT_ALIAS = '-o, --output'

/** A file of queries, on the command line. */
export const QUERIES_FILE = option(name('a path'), 'file of queries; - for standard input', { value: 'FILE' })

/** The index that a command reads. */
export const INDEX_ARGUMENT = option(name('the path of an index directory'), 'the index directory', {
  argument: '<DIR>',
})

/** Flags of every command. */
export const COMMON_OPTIONS = {
  json: v.optional(
    option(flag(), 'print one JSON object on stdout', {
      doc: 'print one JSON object on stdout; a failure is `{"error":{"code","message"}}`; logs go to stderr',
    }),
    false,
  ),
  verbose: v.optional(option(flag(), 'say more: for an unexpected error, where it happened'), false),
} as const
