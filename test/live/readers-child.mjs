/**
 * Writes to the index `argv[2]`: each change is of one group of 12 ids and gives all of them the same version, or deletes
 * them all. Seals, merges and compacts in between. Says `done` at the end.
 */
import { LiveIndex } from '../../dist/src/live/live-index.js'

const [, , path, changes] = process.argv
const limits = { maxParts: 3, memoryRows: 40, memoryBytes: 2 ** 20, logBytes: 2 ** 16, maxWaiting: 2, graphRows: 1e6 }
const settings = { dimensions: 2, metric: 'l2', m: 8, quantization: 'f32', quality: 'balanced', seed: 1 }
const options = { durability: 'none', maxAgeSeconds: 300, buildThreads: 1, limits }
const index = await LiveIndex.open(path, options, settings)
console.log('open')
for (let version = 1; version <= Number(changes); version++) {
  const group = version % 7
  const ids = Array.from({ length: 12 }, (_, i) => `${group} ${i}`)
  if (version % 11 === 0) await index.delete(ids)
  else {
    const vectors = Float32Array.from({ length: 24 }, (_, i) => (i % 2 === 0 ? version : group))
    await index.upsert({ ids, vectors, dimensions: 2 })
  }
  if (version % 60 === 0) await index.compact({ threads: 1, keepGenerations: 0 })
}
await index.close()
console.log('done')
