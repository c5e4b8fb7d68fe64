/** The builds with faults: each in a folder with a live generation of other vectors, which no fault may touch. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pipnnEngine } from '../../dist/src/engines/pipnn/pipnn-engine.js'
import { buildIndex, estimateMemory, openVectorFile } from '../../dist/src/index.js'
import { IngestCheckpoints } from '../../dist/src/pipeline/ingest/ingest-checkpoints.js'

// Several shards of a few rows; the plan refuses smaller ones.
pipnnEngine.shardMembers = 1100
// A checkpoint after every batch of the source.
IngestCheckpoints.prototype.isDue = () => true

function numbers(seed) {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return (state >>> 8) / 2 ** 24 - 0.5
  }
}

function rowsOf(count, dimensions, seed) {
  const random = numbers(seed)
  return Array.from({ length: count }, () => Float32Array.from({ length: dimensions }, random))
}

function writeInput(folder, count, dimensions) {
  const rows = rowsOf(count, dimensions, 7)
  const bytes = Buffer.alloc(count * 4 * (1 + dimensions))
  rows.forEach((row, i) => {
    const at = i * 4 * (1 + dimensions)
    bytes.writeInt32LE(dimensions, at)
    bytes.set(new Uint8Array(row.buffer), at + 4)
  })
  writeFileSync(join(folder, 'input.fvecs'), bytes)
  writeFileSync(join(folder, 'ids.txt'), rows.map((_, i) => `id ${i}\n`).join(''))
}

/** Warnings of the builds. */
export const warnings = []
const logger = { info: () => undefined, warn: (message) => warnings.push(message) }

/** Everything spills. One worker, so that the nth operation of a thread is always the same. */
const OPTIONS = { threads: 1, queueBytes: 0, seed: 3, logger }
const pathIn = (folder) => join(folder, 'an.index')

async function writeLive(folder) {
  const rows = rowsOf(50, 4, 1).map((vector) => ({ vector }))
  await buildIndex(rows, { path: pathIn(folder), threads: 1 })
}

async function withFile(folder, body) {
  const file = await openVectorFile(join(folder, 'input.fvecs'), { ids: join(folder, 'ids.txt') })
  try {
    return await body(file)
  } finally {
    await file.close()
  }
}

const resumable = (folder, options) =>
  withFile(folder, (file) =>
    buildIndex((startAt) => file.batches(startAt), { path: pathIn(folder), ...OPTIONS, ...options }),
  )

/** A value of every kind of column, dictionary and word. */
async function* withFields(batches, startAt) {
  let row = startAt
  for await (const batch of batches) {
    const numbers = Array.from({ length: batch.vectors.length / batch.dimensions }, () => row++)
    yield {
      ...batch,
      fields: {
        group: numbers.map((n) => `group ${(n * 31) % 700}`),
        tags: numbers.map((n) => [`tag ${n % 7}`, `tag ${n % 5}`]),
        price: numbers.map((n) => (n % 3 === 0 ? null : n / 8)),
        isNew: numbers.map((n) => n % 2 === 0),
        title: numbers.map((n) => `word ${n % 300} of ${(n * 7) % 900}`),
      },
    }
  }
}

const FIELDS = { group: 'keyword', tags: 'keyword[]', price: 'number', isNew: 'boolean', title: 'text' }

/** Leaves the files of a build that is stopped when it proves its graph. */
async function interrupt(folder) {
  const controller = new globalThis.AbortController()
  const onProgress = ({ stage }) => {
    if (stage === 'prove') controller.abort()
  }
  const stopped = await resumable(folder, { signal: controller.signal, onProgress }).catch(({ code }) => code)
  if (stopped !== 'SHARDLOOM_ABORTED') throw new Error('the build was not interrupted')
}

export const SCENARIOS = {
  /** From a plain iterable: cannot be resumed. Temporary files are in another folder. */
  plain: {
    prepare: async (folder) => {
      writeInput(folder, 2500, 16)
      await writeLive(folder)
    },
    build: (folder) =>
      withFile(folder, (file) =>
        buildIndex(file.batches(), { path: pathIn(folder), ...OPTIONS, tempDir: join(folder, 'temp') }),
      ),
  },
  /** From a source that can begin anywhere: finished work is kept. */
  resumable: {
    prepare: async (folder) => {
      writeInput(folder, 2500, 16)
      await writeLive(folder)
    },
    build: (folder) => resumable(folder),
  },
  /** Resumes an interrupted build. */
  resumed: {
    prepare: async (folder) => {
      writeInput(folder, 2500, 16)
      await writeLive(folder)
      await interrupt(folder)
    },
    build: (folder) => resumable(folder),
  },
  /** With quantized vectors and a trained codebook. */
  coded: {
    prepare: async (folder) => {
      writeInput(folder, 1200, 16)
      await writeLive(folder)
    },
    build: (folder) => resumable(folder, { quantization: 'pq' }),
  },
  /** With fields, which are sorted in runs. */
  fields: {
    prepare: async (folder) => {
      writeInput(folder, 1200, 8)
      await writeLive(folder)
    },
    build: (folder) =>
      withFile(folder, (file) =>
        buildIndex((startAt) => withFields(file.batches(startAt), startAt), {
          path: pathIn(folder),
          ...OPTIONS,
          fields: FIELDS,
        }),
      ),
  },
  /** Two segments, nodes that repair must link, and so little memory that the grid goes to a file. */
  wide: {
    prepare: async (folder) => {
      writeInput(folder, 1500, 1024)
      await writeLive(folder)
    },
    build: (folder) => {
      const { minimumBytes } = estimateMemory({ count: 1500, dimensions: 1024, threads: 1 })
      return resumable(folder, { memory: minimumBytes + 2 ** 20 })
    },
  },
}
