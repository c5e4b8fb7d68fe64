/** Closes an index while changes, seals and a compaction run, and says what was acknowledged. Must end by itself. */
import { createIndex } from '../../dist/src/index.js'

const [, , path, waitMs] = process.argv
const index = await createIndex(path, { dimensions: 4, buildThreads: 1 })
const acknowledged = []
const refused = []
const say = (error) => refused.push(error.code ?? String(error))
const upsert = (first, count) => {
  const ids = Array.from({ length: count }, (_, i) => first + i)
  const vectors = Float32Array.from({ length: 4 * count }, (_, i) => Math.sin(first + i))
  index.upsert({ ids, vectors, dimensions: 4 }).then(() => acknowledged.push([first, count]), say)
}
await index.upsert({ id: -1, vector: [1, 2, 3, 4] })
// More than parts in memory take: some of it waits for seals.
for (let i = 0; i < 12; i++) upsert(i * 5000, 5000)
index.flush().then(() => undefined, say)
const compacting = index.compact({ threads: 1 }).then(() => undefined, say)
await new Promise((resolve) => globalThis.setTimeout(resolve, Number(waitMs)))
for (let i = 12; i < 16; i++) upsert(i * 5000, 5000)
await Promise.all([index.close(), index.close()])
await compacting
const late = await index.upsert({ id: 'late', vector: [1, 2, 3, 4] }).then(
  () => 'acknowledged',
  ({ code }) => code,
)
console.log(JSON.stringify({ acknowledged, refused, late }))
