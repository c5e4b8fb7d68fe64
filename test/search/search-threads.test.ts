import { existsSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { WorkerFailedError } from '../../src/errors.js'
import { SearchThreads } from '../../src/search/batch/search-threads.js'
import { openGeneration, type OpenGeneration } from '../../src/search/open-generation.js'
import { nearestGraph } from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'

/** Finds node 5 for every query. */
const FINDS_FIVE = `
exports.search = ({ nodes, found, k }) => {
  found.fill(1)
  for (let query = 0; query < found.length; query++) nodes[query * k] = 5
}`

let root: string
let open: OpenGeneration
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shardloom-threads-'))
  await writeIndex(root, nearestGraph({ seed: 3, count: 300, dimensions: 8, m: 6, values: 'reals', metric: 'l2' }))
  // Its own threads have no entry here: they are built first.
  open = await openGeneration(root, { threads: 2 })
})
afterAll(async () => {
  await open.close()
  await rm(root, { recursive: true, force: true })
})

const made: SearchThreads[] = []
afterEach(async () => {
  for (const threads of made.splice(0)) await threads.close()
})

/** The nodes that two threads whose entry is `code` find for three queries. `when`: what the batch waits for. */
async function nodesBy(code: string, when = (): boolean => true): Promise<number[]> {
  const entry = join(root, `entry-${made.length}.cjs`)
  writeFileSync(entry, code)
  const threads = new SearchThreads(open.core, 2, pathToFileURL(entry))
  made.push(threads)
  await vi.waitUntil(when, { timeout: 60_000 })
  const queries = new Float32Array(new SharedArrayBuffer(4 * 8 * 3))
  const { nodes } = await threads.search(queries, 1, 10)
  return Array.from(nodes)
}

it.each([
  ['cannot load their entry', "throw new Error('no such module')"],
  ['end themselves while they start', 'process.exit(3)'],
  ['end themselves in the middle of a batch', 'exports.search = () => process.exit(3)'],
])('a batch whose threads %s, twice, is rejected', async (_, code) => {
  await expectRejected(nodesBy(code))
})

it('a batch whose threads died before it came, and cannot start again, is rejected', async () => {
  const starts = join(root, 'starts')
  const code = `
    require('node:fs').appendFileSync(${JSON.stringify(starts)}, '.')
    process.exit(3)`
  // One of them is in the place of another.
  await expectRejected(nodesBy(code, () => existsSync(starts) && statSync(starts).size >= 3))
})

async function expectRejected(batch: Promise<unknown>): Promise<void> {
  const error: unknown = await batch.catch((failure: unknown) => failure)
  expect(error).toBeInstanceOf(WorkerFailedError)
  expect(String(error)).toContain('task search 3 queries failed twice, the second time on a fresh worker')
}

it('a batch that loses a thread runs once more, on fresh ones', async () => {
  const flag = join(root, 'flag')
  const code = `
    const fs = require('node:fs')
    ${FINDS_FIVE}
    const search = exports.search
    exports.search = (slice) => {
      if (fs.existsSync(${JSON.stringify(flag)})) return search(slice)
      fs.writeFileSync(${JSON.stringify(flag)}, '')
      process.exit(3)
    }`
  expect(await nodesBy(code)).toEqual([5, 5, 5])
  expect(existsSync(flag)).toBe(true)
})
