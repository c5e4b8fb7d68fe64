/**
 * The library in a program: builds an index from rows that a database returns page by page, then opens and searches it.
 *
 *   npx tsx examples/build-from-stream.ts [DIR] [TIMEOUT_MS]
 *
 * This program holds one page of rows at a time: the build asks for the next record when it has room for it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { buildIndex, openIndex, ShardloomError } from 'shardloom'
import type { VectorRecord } from 'shardloom'

const [path = 'products.index', timeoutMs = '600000'] = process.argv.slice(2)

/** Ends a build that takes too long. A server would pass the signal of its shutdown. */
const signal = AbortSignal.timeout(Number(timeoutMs))

try {
  const report = await buildIndex(products(), { path, metric: 'cosine', memory: '400MB', signal })
  console.log(`${report.count} products in ${report.seconds} s, recall@10 ${report.recallAt10}`)

  const index = await openIndex(path)
  const [asked] = await fetchPage(4321, 1)
  const hits = index.search(asked.embedding, { k: 5, ef: 64 })
  console.log(`nearest to ${asked.sku}:`)
  for (const { id, distance } of hits) console.log(`  ${id}  ${distance.toFixed(4)}`)
  await index.close()
} catch (error) {
  if (!(error instanceof ShardloomError)) throw error
  console.error(`${error.code}: ${error.message}`)
  process.exitCode = error.exitCode
}

/**
 * The rows of a table as records, a page at a time. When the build ends early, by an error or an abort, `finally` still
 * runs: close a cursor or release a connection there.
 */
async function* products(): AsyncGenerator<VectorRecord> {
  let fetched = 0
  try {
    for (let after = 0; ;) {
      const rows = await fetchPage(after, 500)
      if (rows.length === 0) return
      fetched += rows.length
      for (const { sku, embedding } of rows) yield { id: sku, vector: embedding }
      after = rows[rows.length - 1].key
    }
  } finally {
    console.log(`${fetched} rows fetched`)
  }
}

// The rest stands for a database: SELECT key, sku, embedding FROM products WHERE key > after ORDER BY key LIMIT limit.

interface Row {
  readonly key: number
  readonly sku: string
  readonly embedding: Float32Array
}

async function fetchPage(after: number, limit: number): Promise<Row[]> {
  const lastKey = 10_000
  await sleep(1)
  return Array.from({ length: Math.min(limit, lastKey - after) }, (_, i) => rowOf(after + i + 1))
}

/** Forty kinds of products, each with its own direction and noise around it. */
function rowOf(key: number): Row {
  const kind = key % 40
  const embedding = Float32Array.from({ length: 64 }, (_, d) => noise(kind, d) + 0.6 * noise(1000 + key, d))
  return { key, sku: `kind-${kind}/product-${key}`, embedding }
}

/** A number from -1 to 1 that depends on row and column alone. */
function noise(row: number, column: number): number {
  const wave = Math.sin(row * 127.1 + column * 311.7) * 43_758.5453
  return 2 * (wave - Math.floor(wave)) - 1
}
