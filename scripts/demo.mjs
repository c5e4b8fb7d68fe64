// npm run demo: an index of 5,000 English nouns, built, searched and verified in a temporary folder.
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const at = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url))
const VECTORS = at('examples/data/wordnet5k_nouns.npy')
const IDS = at('examples/data/wordnet5k_nouns_ids.txt')
// Neighbours of the nouns share a definition's words, and for these that is close to a meaning.
const WORDS = ['river', 'calf', 'London', 'copper', 'apple', 'horse']
const NEIGHBOURS = 5

if (!existsSync(at('dist/src/index.js'))) {
  console.error('dist/ is missing; build it first: npm run build')
  process.exit(1)
}
const { buildIndex, openIndex, openVectorFile, verifyIndex } = await import('../dist/src/index.js')

/** 'river.n.09411430' → 'river' */
const wordOf = (id) => id.split('.')[0].replaceAll('_', ' ')

/** The vectors of some words, as the file has them. */
async function vectorsOf(words) {
  const found = new Map()
  for await (const { ids, vectors, dimensions } of (await openVectorFile(VECTORS, { ids: IDS })).batches()) {
    for (const [row, id] of ids.entries()) {
      const word = wordOf(id)
      if (words.includes(word) && !found.has(word)) {
        found.set(word, { id, vector: vectors.slice(row * dimensions, (row + 1) * dimensions) })
      }
    }
  }
  return found
}

const folder = await mkdtemp(path.join(tmpdir(), 'shardloom-demo-'))
try {
  const out = path.join(folder, 'nouns.index')
  const file = await openVectorFile(VECTORS, { ids: IDS })
  console.log(
    `Shardloom builds an index of ${file.count} English nouns (WordNet, ${file.dimensions} dimensions, cosine) …`,
  )
  const report = await buildIndex(file.batches(), {
    path: out,
    metric: 'cosine',
    count: file.count,
    dimensions: file.dimensions,
  })
  console.log(
    `built in ${report.seconds.toFixed(2)} s with ${report.threads} threads: ${report.reachable} of ${report.count} ` +
      `reachable, recall@10 ${report.recallAt10.toFixed(4)} at ef 64`,
  )

  console.log('\nnearest nouns:')
  const index = await openIndex(out)
  const queries = await vectorsOf(WORDS)
  for (const word of WORDS) {
    const { id, vector } = queries.get(word)
    const hits = index.search(vector, { k: NEIGHBOURS + 1, ef: 64 }).filter((hit) => hit.id !== id)
    const neighbours = hits.slice(0, NEIGHBOURS).map((hit) => `${wordOf(hit.id)} ${hit.distance.toFixed(2)}`)
    console.log(`  ${word.padEnd(8)} ${neighbours.join(', ')}`)
  }
  await index.close()

  const verified = await verifyIndex(out)
  if (!verified.ok)
    throw new Error(`verify found ${verified.problemCount} problems: ${JSON.stringify(verified.problems)}`)
  console.log(
    `\nverified: ${verified.filesChecked} files, ${verified.bytesChecked} bytes, ${verified.linksChecked} links`,
  )
  console.log('\nYour own vectors (fvecs, bvecs, npy, JSON lines):')
  console.log('  npx shardloom build vectors.npy --metric cosine --out my.index')
  console.log('  npx shardloom search my.index --queries queries.npy -k 10')
} finally {
  await rm(folder, { recursive: true, force: true })
}
