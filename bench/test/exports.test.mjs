// Exported files in the programs they are for, and a file of one of them imported: the same neighbours everywhere. With a
// beam as wide as the index every searcher is exact, so that the same graph must give the same answers.
//
//   npm run build && cd bench && npm ci && npm run test:exports
import hnswlib from 'hnswlib-node'
import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import usearch from 'usearch'
import { buildIndex, exportIndex, importIndex, openIndex, openVectorFile, verifyIndex } from '../../dist/src/index.js'
import { readIvecs, readVectors } from '../vector-files.mjs'

const COUNT = 2000
const DIMS = 24
const K = 10
/** As wide as the index. */
const EF = COUNT
const EXAMPLES = fileURLToPath(new URL('../../examples/data/', import.meta.url))

let folder
const inFolder = (name) => path.join(folder, name)
before(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'shardloom-exports-'))
})
after(() => rmSync(folder, { recursive: true, force: true }))

/** Repeatable numbers, about normally distributed. */
function randomRows(count, seed) {
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  const value = () => next() + next() + next() + next() - 2
  return Array.from({ length: count }, () => Float32Array.from({ length: DIMS }, value))
}

const rows = randomRows(COUNT, 1)
const queries = randomRows(50, 2)

async function ownAnswers(indexDir, ef = EF, asked = queries) {
  const index = await openIndex(indexDir)
  try {
    return asked.map((query) => index.search(query, { k: K, ef }))
  } finally {
    await index.close()
  }
}

function hnswlibSearcher(file, space, dims, ef) {
  const index = new hnswlib.HierarchicalNSW(space, dims)
  index.readIndexSync(file)
  index.setEf(ef)
  return (query) => {
    const { neighbors, distances } = index.searchKnn(Array.from(query), K)
    return neighbors.map((label, i) => ({ label, distance: distances[i] }))
  }
}

/** @param open 'load' or 'view' */
function usearchSearcher(file, metric, dims, ef, open) {
  const index = new usearch.Index({ dimensions: dims, metric, quantization: 'f32', expansion_search: ef, multi: false })
  index[open](file)
  return (query) => {
    const { keys, distances } = index.search(query, K, 1)
    return Array.from(keys, (key, i) => ({ label: Number(key), distance: distances[i] }))
  }
}

/** The same ids in the same order, and the same distances; both programs say 1 − dot for ip. */
function assertSame(searcher, own, metric, idOf) {
  for (const [i, query] of queries.entries()) {
    const found = searcher(query)
    assert.deepEqual(
      found.map(({ label }) => idOf(label)),
      own[i].map(({ id }) => id),
    )
    found.forEach(({ distance }, rank) => {
      const theirs = metric === 'ip' ? distance - 1 : distance
      assert.ok(Math.abs(theirs - own[i][rank].distance) < 1e-4 * (1 + Math.abs(theirs)), `${theirs}`)
    })
  }
}

const ID_KINDS = {
  integers: (row) => 7 * row + 2 ** 33,
  texts: (row) => `text ${row}`,
}

for (const metric of ['l2', 'cosine', 'ip']) {
  for (const [kind, idFor] of Object.entries(ID_KINDS)) {
    describe(`an index of metric ${metric} with ${kind} as ids`, () => {
      let own
      const indexDir = () => inFolder(`${metric}-${kind}.index`)
      before(async () => {
        await buildIndex(
          rows.map((vector, row) => ({ id: idFor(row), vector })),
          { path: indexDir(), metric },
        )
        own = await ownAnswers(indexDir())
      })

      const exported = async (format, name) => {
        const report = await exportIndex(indexDir(), { format, out: inFolder(`${metric}-${kind}.${name}`) })
        if (report.idsFile === undefined) return { ...report, idOf: (label) => label }
        const ids = readFileSync(report.idsFile, 'utf8').trimEnd().split('\n').map(JSON.parse)
        return { ...report, idOf: (label) => ids[label] }
      }

      it('has the same neighbours in hnswlib-node', async () => {
        const { out, space, idOf } = await exported('hnswlib', 'bin')
        assertSame(hnswlibSearcher(out, space, DIMS, EF), own, metric, idOf)
      })

      it('has the same neighbours in usearch, loaded and as a view', async () => {
        const { out, space, idOf } = await exported('usearch', 'usearch')
        assertSame(usearchSearcher(out, space, DIMS, EF, 'load'), own, metric, idOf)
        assertSame(usearchSearcher(out, space, DIMS, EF, 'view'), own, metric, idOf)
      })

      it('has the same neighbours when the file is imported again', async () => {
        const { out, idsFile } = await exported('hnswlib', 'again.bin')
        const again = inFolder(`${metric}-${kind}-again.index`)
        await importIndex(out, { path: again, dimensions: DIMS, metric, ids: idsFile })
        assert.deepEqual(await ownAnswers(again), own)
        assert.deepEqual(await ownAnswers(again, 16), await ownAnswers(indexDir(), 16))
      })
    })
  }

  it(`a file that hnswlib-node saved under ${metric} is imported, without what was deleted`, async () => {
    const theirs = new hnswlib.HierarchicalNSW(metric, DIMS)
    theirs.initIndex(COUNT + 500, 16, 200, 100)
    rows.forEach((row, i) => theirs.addPoint(Array.from(row), 3 * i))
    for (let i = 0; i < COUNT; i += 40) theirs.markDelete(3 * i)
    const file = inFolder(`theirs-${metric}.bin`)
    theirs.writeIndexSync(file)
    theirs.setEf(EF)
    const indexDir = inFolder(`theirs-${metric}.index`)
    const report = await importIndex(file, { path: indexDir, dimensions: DIMS, metric })
    assert.equal(report.count, COUNT - COUNT / 40)
    assert.equal(report.skipped, COUNT / 40)
    assert.ok(report.recallAt10 > 0.9, `recall@10 ${report.recallAt10}`)
    assert.deepEqual((await verifyIndex(indexDir)).problems, [])
    const own = await ownAnswers(indexDir)
    queries.forEach((query, i) => {
      assert.deepEqual(
        own[i].map(({ id }) => id),
        theirs.searchKnn(Array.from(query), K).neighbors,
      )
    })
  })
}

it('SIFT 10k is found as well by each of them with a narrow beam', async () => {
  const base = await openVectorFile(path.join(EXAMPLES, 'sift10k_base.bvecs'))
  const indexDir = inFolder('sift.index')
  await buildIndex(base.batches(), { path: indexDir })
  const asked = readVectors(path.join(EXAMPLES, 'sift10k_query.bvecs')).rows
  const truth = readIvecs(path.join(EXAMPLES, 'sift10k_gt.ivecs')).rows.map((row) => new Set(row.subarray(0, K)))
  const recall = (answers) =>
    answers.reduce((sum, labels, i) => sum + labels.filter((label) => truth[i].has(label)).length, 0) /
    (K * asked.length)
  const own = recall((await ownAnswers(indexDir, 32, asked)).map((hits) => hits.map(({ id }) => id)))
  const files = { hnswlib: inFolder('sift.bin'), usearch: inFolder('sift.usearch') }
  for (const [format, out] of Object.entries(files)) await exportIndex(indexDir, { format, out })
  const searchers = [
    hnswlibSearcher(files.hnswlib, 'l2', 128, 32),
    usearchSearcher(files.usearch, 'l2sq', 128, 32, 'view'),
  ]
  for (const searcher of searchers) {
    const theirs = recall(asked.map((query) => searcher(query).map(({ label }) => label)))
    assert.ok(theirs > own - 0.02, `recall@10 ${theirs}, Shardloom's own ${own}`)
  }
})
