/** Every way a build can fail: its error, its exit code, and that the live generation stays as it was. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  DimensionMismatchError,
  DuplicateIdError,
  EmptySourceError,
  IndexLockedError,
  InsufficientMemoryError,
  InvalidIdError,
  InvalidOptionError,
  InvalidVectorError,
  PathError,
  RecallTooLowError,
  SourceError,
  buildIndex,
  estimateMemory,
  openVectorFile,
  type BuildOptions,
  type ShardloomError,
  type VectorRecord,
  type VectorSource,
} from '../../dist/src/index.js'
import {
  batches,
  build,
  contentsOf,
  examplePath,
  exists,
  makeFolder,
  makeRows,
  randomRows,
  records,
  rowOf,
  withIndex,
} from '../fixtures/builds.js'
import { readFileSync } from 'node:fs'

const rows = randomRows(400, 8, 1)
const good = (): VectorRecord[] => [...records(rows, (row) => `v${row}`)]
const withRecord = (at: number, record: VectorRecord): VectorRecord[] => good().toSpliced(at, 1, record)
const withValue = (at: number, value: number): VectorRecord[] =>
  withRecord(at, { id: `v${at}`, vector: rowOf(rows, at).map((x, d) => (d === 3 ? value : x)) })

let live: string

beforeAll(async () => {
  live = (await build(records(rows, (row) => `v${row}`))).path
})

async function failureOf(source: VectorSource, options: BuildOptions): Promise<ShardloomError> {
  return buildIndex(source, options).then(
    () => {
      throw new Error('the build did not fail')
    },
    (error: ShardloomError) => error,
  )
}

/** What fails over a live index leaves it alone to the byte; what fails in a new place leaves nothing. */
async function expectFailure(
  makeSource: () => VectorSource,
  options: Partial<BuildOptions>,
  expected: { type: new (...args: never[]) => ShardloomError; code: string; exitCode: number },
): Promise<ShardloomError> {
  const before = contentsOf(live)
  const error = await failureOf(makeSource(), { ...options, path: live })
  expect(error).toBeInstanceOf(expected.type)
  expect(error).toMatchObject({ code: expected.code, exitCode: expected.exitCode })
  expect(contentsOf(live)).toEqual(before)

  const folder = makeFolder()
  const fresh = await failureOf(makeSource(), { ...options, path: join(folder, 'new', 'an.index') })
  expect(fresh).toBeInstanceOf(expected.type)
  expect(exists(join(folder, 'new', 'an.index'))).toBe(false)
  return error
}

const DIMENSION = { type: DimensionMismatchError, code: 'SHARDLOOM_DIMENSION_MISMATCH', exitCode: 2 }
const INVALID = { type: InvalidVectorError, code: 'SHARDLOOM_INVALID_VECTOR', exitCode: 2 }
const OPTION = { type: InvalidOptionError, code: 'SHARDLOOM_INVALID_OPTION', exitCode: 2 }
const ID = { type: InvalidIdError, code: 'SHARDLOOM_INVALID_ID', exitCode: 2 }
const EMPTY = { type: EmptySourceError, code: 'SHARDLOOM_EMPTY_SOURCE', exitCode: 2 }
const SOURCE = { type: SourceError, code: 'SHARDLOOM_SOURCE_FAILED', exitCode: 1 }
const MEMORY = { type: InsufficientMemoryError, code: 'SHARDLOOM_INSUFFICIENT_MEMORY', exitCode: 3 }
const PATH = { type: PathError, code: 'SHARDLOOM_PATH', exitCode: 2 }

describe('a vector of the wrong length', () => {
  it('among records: ordinal, id, expected and got', async () => {
    const error = await expectFailure(() => withRecord(250, { id: 'odd', vector: [1, 2, 3] }), {}, DIMENSION)
    expect(error).toMatchObject({ details: { ordinal: 250, id: 'odd', expected: 8, got: 3 } })
  })

  it('among batches', async () => {
    const source = (): VectorSource => [...batches(rows), { vectors: new Float32Array(9), dimensions: 9 }]
    expect(await expectFailure(source, {}, DIMENSION)).toMatchObject({ details: { ordinal: 400, expected: 8, got: 9 } })
  })

  it('against the dimensions option, already for the first one', async () => {
    expect(await expectFailure(good, { dimensions: 7 }, DIMENSION)).toMatchObject({
      details: { ordinal: 0, expected: 7, got: 8 },
    })
  })

  it('of zero', async () => {
    await expectFailure(() => [{ vector: [] }], {}, INVALID)
  })
})

describe('a vector that cannot be indexed', () => {
  it.each([
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['-Infinity', Number.NEGATIVE_INFINITY],
    ['a number beyond float32', 1e39],
  ])('with %s: ordinal, id and reason', async (_, value) => {
    const error = await expectFailure(() => withValue(123, value), {}, INVALID)
    expect(error).toMatchObject({ details: { ordinal: 123, id: 'v123' } })
    expect(error.message).toMatch(/NaN or infinite/)
  })

  it('all zeros under cosine, also of negative zeros; l2 takes it', async () => {
    for (const zero of [0, -0]) {
      const source = (): VectorSource => withRecord(77, { id: 'v77', vector: new Float32Array(8).fill(zero) })
      const error = await expectFailure(source, { metric: 'cosine' }, INVALID)
      expect(error).toMatchObject({ details: { ordinal: 77, id: 'v77' } })
    }
    expect((await build(withRecord(77, { id: 'v77', vector: new Float32Array(8) }))).report.count).toBe(400)
  })

  it('is named by its own id, whatever the dimensions', async () => {
    // So short that one batch holds more rows than any other.
    const count = 40_000
    const source = function* (): Generator<VectorRecord> {
      for (let i = 0; i < count; i++) yield { id: `n${i}`, vector: [i === 5000 ? Number.NaN : i] }
    }
    const error = await failureOf(source(), { path: live })
    expect(error).toMatchObject({ details: { ordinal: 5000, id: 'n5000' } })
  })

  it.each([[undefined], [null], ['1,2,3'], [5], [{ 0: 1 }], [Promise.resolve([1])], [['1', '2']], [Buffer.alloc(8)]])(
    'that is %o and no vector',
    async (vector) => {
      await expectFailure(() => [{ vector }] as unknown as VectorSource, {}, INVALID)
    },
  )
})

describe('ids', () => {
  it('given twice: both ordinals', async () => {
    const error = await expectFailure(
      () => withRecord(300, { id: 'v20', vector: rowOf(rows, 300) }),
      {},
      { type: DuplicateIdError, code: 'SHARDLOOM_DUPLICATE_ID', exitCode: 2 },
    )
    expect(error).toMatchObject({ details: { id: 'v20', firstOrdinal: 20, secondOrdinal: 300, count: 1 } })
  })

  it('given for some vectors only', async () => {
    await expectFailure(() => withRecord(9, { vector: rowOf(rows, 9) }), {}, ID)
    await expectFailure(() => [{ vector: [1] }, { id: 'a', vector: [2] }], {}, ID)
  })

  it('that are no strings or integers', async () => {
    await expectFailure(() => withRecord(9, { id: 1.5, vector: rowOf(rows, 9) }), {}, ID)
    await expectFailure(() => withRecord(9, { id: {} as string, vector: rowOf(rows, 9) }), {}, ID)
  })

  it('fewer than the vectors of their batch', async () => {
    await expectFailure(() => [{ ids: ['a'], vectors: new Float32Array(16), dimensions: 8 }], {}, OPTION)
  })
})

/** As an array of the results of an async function. */
function* withPromise(cause: Error): Generator<VectorRecord> {
  yield Promise.resolve({ vector: [1] }) as never
  yield Promise.reject(cause) as never
}

describe('a source', () => {
  it('without vectors', async () => {
    await expectFailure(() => [], {}, EMPTY)
    await expectFailure(() => [{ vectors: new Float32Array(0), dimensions: 8 }], {}, EMPTY)
  })

  it('whose vectors are all skipped', async () => {
    const error = await expectFailure(
      () => [{ vector: [Number.NaN] }, { vector: [Number.NaN] }],
      { invalid: 'skip' },
      EMPTY,
    )
    expect(error.message).toContain('all 2 vectors')
  })

  it('that throws half-way: its error is the cause, with the number of vectors before it', async () => {
    const cause = new Error('the database went away')
    const source = function* (): Generator<VectorRecord> {
      yield* good().slice(0, 150)
      throw cause
    }
    const error = await expectFailure(source, {}, SOURCE)
    expect(error.cause).toBe(cause)
    expect(error.message).toBe('the source failed after 150 vectors: the database went away')
  })

  it('of a promise that is rejected: its error is the cause', async () => {
    const cause = new Error('late')
    const error = await failureOf(withPromise(cause), { path: live })
    expect(error).toMatchObject({ code: 'SHARDLOOM_SOURCE_FAILED', cause })
  })

  it('that rejects at once', async () => {
    await expectFailure(
      async function* (): AsyncGenerator<VectorRecord> {
        await Promise.reject(new Error('no route to host'))
        yield { vector: [1] }
      },
      {},
      SOURCE,
    )
  })

  it('that is no iterable', async () => {
    for (const source of [undefined, null, 5, 'text', {}, new Float32Array(8)]) {
      await expectFailure(() => source as VectorSource, {}, OPTION)
    }
  })

  it.each<[string, unknown, string]>([
    ['a number', 5, 'vector 0 is the number 5: a record is { id?, vector }'],
    ['null', null, 'vector 0 is null: a record is'],
    ['an array', [1, 2], 'vector 0 is an array: a record is'],
    ['a record of other fields', { id: 1, values: [1] }, 'vector 0 is an object with the fields id, values'],
    ['a batch of plain numbers', { vectors: [1, 2], dimensions: 2 }, 'vectors are an array, expected a Float32Array'],
    [
      'a batch of bytes',
      { vectors: Buffer.alloc(8), dimensions: 2 },
      'new Float32Array(new Uint8Array(vectors).buffer)',
    ],
    ['a batch without dimensions', { vectors: Float32Array.of(1) }, 'undefined as dimensions, expected a number'],
    ['a batch with a Set of ids', { ids: new Set([1]), vectors: Float32Array.of(1), dimensions: 1 }, 'a Set as ids'],
    ['bigints', { vector: [1n] }, 'the bigint 1 at position 0, expected numbers: pass vector.map(Number)'],
  ])('of %s: the kind is said', async (_, item, message) => {
    const error = await failureOf([item] as unknown as VectorSource, { path: live })
    expect(error.code).toBe('SHARDLOOM_INVALID_VECTOR')
    expect(error.message).toContain(message)
  })

  it.each<[string, () => unknown, string]>([
    ['a Promise', () => Promise.resolve([]), 'got a Promise: await it'],
    ['a function of a Promise', () => () => Promise.resolve([]), 'got a Promise: await it'],
    ['an iterator of nothing', () => ({ [Symbol.iterator]: () => ({ next: () => 5 }) }), 'got the number 5'],
    ['facts that are nothing', () => Object.assign(() => [], { facts: () => undefined }), 'got undefined'],
    ['facts of another kind', () => Object.assign(() => [], { facts: () => ({ count: '5' }) }), 'count in facts() of'],
  ])('that is %s: the kind is said', async (_, make, message) => {
    const error = await failureOf(make() as VectorSource, { path: live })
    expect(error.message).toContain(message)
  })

  it('is closed when the build gives up before its end', async () => {
    let closed = false
    const source = function* (): Generator<VectorRecord> {
      try {
        yield { vector: [1, 2] }
        yield { vector: [1, 2, 3] }
        yield { vector: [1, 2] }
      } finally {
        closed = true
      }
    }
    await failureOf(source(), { path: live })
    expect(closed).toBe(true)
  })

  it.each(['sift10k_base.bvecs', 'wordnet5k_nouns.npy'])('that is a truncated file (%s)', async (name) => {
    const path = join(makeFolder(), name)
    writeFileSync(path, readFileSync(examplePath(name)).subarray(0, 100_001))
    const before = contentsOf(live)
    const outcome = await openVectorFile(path, {})
      .then((file) => buildIndex(file.batches(), { path: live }))
      .catch((error: unknown) => error)
    expect(outcome).toMatchObject({ code: 'SHARDLOOM_INVALID_FILE', exitCode: 2 })
    expect(contentsOf(live)).toEqual(before)
  })
})

describe('a place', () => {
  it('below a regular file: PathError, for the index and for the spill files', async () => {
    const folder = makeFolder()
    const file = join(folder, 'a-file')
    writeFileSync(file, 'text')
    const before = contentsOf(folder)
    const error = await failureOf(good(), { path: join(file, 'an.index') })
    expect(error).toBeInstanceOf(PathError)
    expect(error).toMatchObject({ code: 'SHARDLOOM_PATH', exitCode: 2 })
    await expectFailure(good, { tempDir: join(file, 'temp') }, PATH)
    expect(contentsOf(folder)).toEqual(before)
  })

  it('with files of somebody else in it keeps them', async () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'notes.txt'), 'mine')
    mkdirSync(join(folder, 'gen-old'))
    const before = contentsOf(folder)
    await failureOf([], { path: folder })
    expect(contentsOf(folder)).toEqual(before)
  })
})

describe('too little memory', () => {
  it('for any build: refused before a vector is read', async () => {
    let read = 0
    const source = function* (): Generator<VectorRecord> {
      read++
      yield* good()
    }
    const error = await expectFailure(source, { memory: '30MB' }, MEMORY)
    expect(error).toMatchObject({ details: { availableBytes: 30e6 } })
    expect(error.message).toMatch(/needs \d+ MB \(\d+ bytes\) and 30 MB \(30000000 bytes\) are available/)
    expect(read).toBe(0)
  })

  it('for the count that the caller announces: refused before a vector is read', async () => {
    const { minimumBytes } = estimateMemory({ count: 1, dimensions: 8 })
    await expectFailure(good, { memory: minimumBytes + 2e6, count: 50_000_000, dimensions: 3000 }, MEMORY)
  })

  it('for what came, when nothing was announced', async () => {
    const wide = makeRows(300, 16_000, (row, d) => Math.sin(row * 31 + d))
    const { minimumBytes } = estimateMemory({ count: 1, dimensions: 128 })
    expect(estimateMemory({ count: 300, dimensions: 16_000 }).minimumBytes).toBeGreaterThan(minimumBytes + 2e6)
    const before = contentsOf(live)
    const error = await failureOf(batches(wide, undefined, 1, 20), { path: live, memory: minimumBytes + 1e6 })
    expect(error).toBeInstanceOf(InsufficientMemoryError)
    expect(contentsOf(live)).toEqual(before)
  })
})

describe('options', () => {
  it.each<[string, object]>([
    ['an unknown one', { memroy: '2GB' }],
    ['metric', { metric: 'hamming' }],
    ['m', { m: 3 }],
    ['m', { m: 16.5 }],
    ['memory', { memory: 'plenty' }],
    ['threads', { threads: 0 }],
    ['seed', { seed: -1 }],
    ['seed', { seed: 2 ** 32 }],
    ['duplicates', { duplicates: 'both' }],
    ['invalid', { invalid: 'ignore' }],
    ['minRecall', { minRecall: 2 }],
    ['keepGenerations', { keepGenerations: -1 }],
    ['engine', { engine: 'faiss' }],
    ['dimensions', { dimensions: 0 }],
  ])('that cannot be used: %s %j', async (_, options) => {
    await expectFailure(good, options, OPTION)
  })
})

describe('a callback that is async', () => {
  const late = (): Promise<never> => Promise.reject(new Error('late'))
  it.each<[string, object]>([
    ['onProgress', { onProgress: late }],
    ['logger.info', { logger: { info: late, warn: () => undefined } }],
  ])('%s is refused: nothing would await it', async (name, hooks) => {
    const error = await failureOf(good(), { path: live, ...hooks })
    expect(error.message).toContain(`${name} returned a Promise, which nothing awaits`)
  })

  it('may return anything else', async () => {
    const seen: unknown[] = []
    await buildIndex(good(), { path: join(makeFolder(), 'pushed.index'), onProgress: (event) => seen.push(event) })
    expect(seen.length).toBeGreaterThan(0)
  })
})

it('recall below minRecall is not published', async () => {
  // Inner products of clusters far from the origin: nobody's ef 64 finds them all.
  const hard = randomRows(3000, 24, 5)
  const error = await expectFailure(
    () => batches(hard),
    { m: 4, metric: 'ip', minRecall: 1 },
    {
      type: RecallTooLowError,
      code: 'SHARDLOOM_RECALL_TOO_LOW',
      exitCode: 1,
    },
  )
  expect(error).toMatchObject({ details: { minRecall: 1 } })
})

it('two builds at once in one place: the second is told who builds, the first goes on', async () => {
  const path = join(makeFolder(), 'an.index')
  let letGo: () => void = () => undefined
  const gate = new Promise<void>((resolve) => (letGo = resolve))
  let reading: () => void = () => undefined
  const started = new Promise<void>((resolve) => (reading = resolve))
  const first = build(
    (async function* (): AsyncGenerator<VectorRecord> {
      reading()
      await gate
      yield* good()
    })(),
    { path },
  )
  await started
  const error = await failureOf(good(), { path })
  expect(error).toBeInstanceOf(IndexLockedError)
  expect(error).toMatchObject({ code: 'SHARDLOOM_INDEX_LOCKED', exitCode: 1 })
  expect(error.message).toContain(`process ${process.pid}`)
  letGo()
  expect((await first).report.count).toBe(400)
  expect((await build(good(), { path })).report.generation).toBe('gen-000002')
})

it('after all that the live index answers', async () => {
  await withIndex(live, (index) => {
    expect(index.generation).toBe('gen-000001')
    expect(index.search(rowOf(rows, 5), { k: 1 })).toEqual([{ id: 'v5', distance: 0 }])
  })
})
