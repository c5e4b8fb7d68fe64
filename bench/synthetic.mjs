// Vectors of a known intrinsic dimension: a latent normal of `intrinsic` dimensions, through one fixed random tanh layer
// and a fixed random linear map, plus a little noise. Written block by block; the same bytes for a seed. Queries are
// drawn from the same distribution, in a stream of their own: none of them is in the base file.
//
//   node synthetic.mjs --count 1000000 --dimensions 128 --out base.fvecs [--intrinsic 16] [--seed 1]
//                      [--queries 1000 --queries-out query.fvecs [--ground-truth gt.ivecs --metric l2]]
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { exactNeighbours } from './ground-truth.mjs'
import { multiplyRows } from './matrix.mjs'
import { randomStream } from './random.mjs'
import { createVectorFile, readMatrix, writeIvecs } from './vector-files.mjs'

const HIDDEN = 64
/** Deviation of what goes into tanh: enough to bend the manifold, not so much that it becomes a cube's corners. */
const BEND = 1.5
/** Deviation of the noise, as a share of a component's deviation. */
const NOISE = 0.005
const BLOCK_ROWS = 512

/** Yields blocks of whole rows in a Float32Array that is valid until the next: `count` vectors in all. */
export function* syntheticBlocks({ count, dimensions, intrinsic, seed, stream }) {
  const map = randomStream(seed, `map ${dimensions} ${intrinsic}`)
  const toHidden = Float64Array.from({ length: HIDDEN * intrinsic }, () => (map.normal() * BEND) / Math.sqrt(intrinsic))
  const shift = Float64Array.from({ length: HIDDEN }, () => map.normal() / 2)
  const rowsOut = Math.ceil(dimensions / 2) * 2
  const toOutput = Float64Array.from({ length: rowsOut * HIDDEN }, () => map.normal() / Math.sqrt(HIDDEN))
  const draw = randomStream(seed, stream)
  // A stream of its own: then a row does not depend on how many come after it.
  const drawNoise = randomStream(seed, `noise of ${stream}`)
  const noise = 2 * Math.sqrt(3) * NOISE
  const latent = new Float64Array(BLOCK_ROWS * intrinsic)
  const hidden = new Float64Array(BLOCK_ROWS * HIDDEN)
  const output = new Float64Array(BLOCK_ROWS * rowsOut)
  const vectors = new Float32Array(BLOCK_ROWS * dimensions)
  for (let done = 0; done < count; done += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, count - done)
    for (let i = 0; i < rows * intrinsic; i++) latent[i] = draw.normal()
    multiplyRows(latent, BLOCK_ROWS, toHidden, HIDDEN, intrinsic, hidden)
    for (let i = 0; i < rows * HIDDEN; i++) hidden[i] = Math.tanh(hidden[i] + shift[i % HIDDEN])
    multiplyRows(hidden, BLOCK_ROWS, toOutput, rowsOut, HIDDEN, output)
    for (let row = 0; row < rows; row++) {
      for (let d = 0; d < dimensions; d++) {
        vectors[row * dimensions + d] = output[row * rowsOut + d] + noise * (drawNoise.uniform() - 0.5)
      }
    }
    yield vectors.subarray(0, rows * dimensions)
  }
}

/** Writes `count` vectors to `path` (fvecs or npy). @param options those of syntheticBlocks. */
export function writeSynthetic(path, options) {
  const file = createVectorFile(path, options.count, options.dimensions)
  try {
    for (const vectors of syntheticBlocks(options)) file.write(vectors)
  } finally {
    file.close()
  }
}

function main() {
  const { values } = parseArgs({
    options: {
      count: { type: 'string' },
      dimensions: { type: 'string' },
      intrinsic: { type: 'string', default: '16' },
      seed: { type: 'string', default: '1' },
      out: { type: 'string' },
      queries: { type: 'string', default: '1000' },
      'queries-out': { type: 'string' },
      'ground-truth': { type: 'string' },
      metric: { type: 'string', default: 'l2' },
    },
  })
  for (const name of ['count', 'dimensions', 'out']) {
    if (values[name] === undefined) throw new Error(`--${name} is missing`)
  }
  const [count, dimensions, intrinsic, seed, queries] = ['count', 'dimensions', 'intrinsic', 'seed', 'queries'].map(
    (name) => Number(values[name]),
  )
  writeSynthetic(values.out, { count, dimensions, intrinsic, seed, stream: 'base' })
  if (values['queries-out'] === undefined) return
  writeSynthetic(values['queries-out'], { count: queries, dimensions, intrinsic, seed, stream: 'queries' })
  if (values['ground-truth'] === undefined) return
  writeIvecs(values['ground-truth'], exactNeighbours(values.out, readMatrix(values['queries-out']), values.metric, 100))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main()
