// Searches by a vector and by words together, beside searches by either alone.
//
//   npm run build && cd bench
//   node hybrid.mjs [--documents 100000] [--dimensions 128] [--ef 64]
//
// Texts are those of text.mjs, vectors synthetic, and independent of the texts: hits are not looked at, only times.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { buildIndex, openIndex } from '../dist/src/index.js'
import { describeMachine } from './machine.mjs'
import { median } from './search-curve.mjs'
import { syntheticBlocks } from './synthetic.mjs'
import { zipfTexts } from './zipf-texts.mjs'

const { values: options } = parseArgs({
  options: {
    documents: { type: 'string', default: '100000' },
    dimensions: { type: 'string', default: '128' },
    ef: { type: 'string', default: '64' },
  },
})
const [documents, dimensions, ef] = [options.documents, options.dimensions, options.ef].map(Number)
const QUERIES = 200
const shape = { dimensions, intrinsic: 16, seed: 1 }
const texts = zipfTexts(80_000)
const scratch = mkdtempSync(path.join(tmpdir(), 'shardloom-hybrid-'))
try {
  console.log(JSON.stringify(describeMachine()), `${documents} x ${dimensions}, ef ${ef}`)
  await buildIndex(records(), { path: path.join(scratch, 'index'), fields: { body: 'text' }, threads: 1 })
  const index = await openIndex(path.join(scratch, 'index'), { preload: true })
  const vectors = []
  for (const block of syntheticBlocks({ ...shape, count: QUERIES, stream: 'query' })) {
    for (let at = 0; at < block.length; at += dimensions) vectors.push(block.slice(at, at + dimensions))
  }
  const words = {
    'two words of the 10th to 2,000th most frequent': texts.ranked(QUERIES, 2, 10, 2000),
    'three words, as frequent as in texts': texts.alike(QUERIES, 3, 'hybrid'),
  }
  time('the vector alone', (i) => index.search(vectors[i], { ef }))
  for (const [what, asked] of Object.entries(words)) {
    time(`${what}: words alone`, (i) => index.searchText(asked[i]))
    time(`${what}: both`, (i) => index.search(vectors[i], { ef, text: asked[i] }))
  }
  await index.close()
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

function* records() {
  let id = 0
  for (const block of syntheticBlocks({ ...shape, count: documents, stream: 'base' })) {
    for (let at = 0; at < block.length; at += dimensions, id++) {
      yield { id, vector: block.subarray(at, at + dimensions), fields: { body: texts.text(id) } }
    }
  }
}

function time(what, search) {
  const times = []
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < QUERIES; i++) {
      const start = performance.now()
      search(i)
      if (round > 0) times.push(performance.now() - start)
    }
  }
  const ascending = times.toSorted((a, b) => a - b)
  const p99 = ascending[Math.floor(0.99 * (times.length - 1))]
  console.log(`${what.padEnd(64)} ${median(times).toFixed(3)} ms, p99 ${p99.toFixed(3)} ms`)
}
