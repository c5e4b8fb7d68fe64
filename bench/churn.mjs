// What remains of recall and speed when an index is changed over and over: rounds in which a tenth of the vectors is
// replaced by others, at random or a whole region at a time; beside hnswlib-node (markDelete, replaceDeleted) and usearch
// (remove, add) on the same sequence.
//
//   npm run build && cd bench && npm install
//   node churn.mjs --base base.bvecs --queries query.bvecs [--metric l2] [--rounds 10] [--share 0.1] [--regions] [--peers a,b]
//                  [--limit N]
//
// Half of the vectors of --base begin in the index, and the others come in. Recall is against exact search of what is in
// the index at the end; "fresh" is a build of that.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { buildIndex, openIndex } from '../dist/src/index.js'
import { cpuSeconds, describeMachine } from './machine.mjs'
import { randomStream } from './random.mjs'
import { K, median } from './search-curve.mjs'
import { readMatrix } from './vector-files.mjs'

const { values: options } = parseArgs({
  options: {
    base: { type: 'string' },
    queries: { type: 'string' },
    metric: { type: 'string', default: 'l2' },
    rounds: { type: 'string', default: '10' },
    share: { type: 'string', default: '0.1' },
    regions: { type: 'boolean', default: false },
    peers: { type: 'string', default: 'usearch,hnswlib-node' },
    limit: { type: 'string', default: 'Infinity' },
  },
})
const EFS = [32, 64, 128]
const { metric } = options
const all = readMatrix(options.base, Number(options.limit))
const queries = readMatrix(options.queries, 500)
const { dims } = all
const count = Math.floor(all.count / 2)
const changed = Math.floor(count * Number(options.share))
const rows = (matrix, i) => matrix.vectors.subarray(i * dims, (i + 1) * dims)
const random = randomStream(1, 'churn')

function distance(a, b) {
  let [sum, dot] = [0, 0]
  for (let d = 0; d < dims; d++) {
    const difference = a[d] - b[d]
    sum += difference * difference
    dot += a[d] * b[d]
  }
  return metric === 'l2' ? sum : -dot
}

/** The rounds: slots (ids) whose vector is replaced, and the rows of --base that come in. */
function plan() {
  const rowOf = Array.from({ length: count }, (_, slot) => slot)
  const waiting = Array.from({ length: all.count - count }, (_, i) => count + i)
  return Array.from({ length: Number(options.rounds) }, () => {
    const slots = options.regions ? region(rowOf) : someSlots()
    const incoming = slots.map(() => waiting.shift())
    for (const [i, slot] of slots.entries()) {
      waiting.push(rowOf[slot])
      rowOf[slot] = incoming[i]
    }
    return { slots, incoming }
  })

  function someSlots() {
    const chosen = new Set()
    while (chosen.size < changed) chosen.add(Math.floor(random.uniform() * count))
    return [...chosen]
  }
  /** The nearest to one of them: a cluster that goes as a whole. */
  function region(of) {
    const centre = rows(all, of[Math.floor(random.uniform() * count)])
    const near = of.map((row, slot) => [distance(centre, rows(all, row)), slot]).sort((a, b) => a[0] - b[0])
    return near.slice(0, changed).map(([, slot]) => slot)
  }
}

const rounds = plan()
const last = Array.from({ length: count }, (_, slot) => slot)
for (const { slots, incoming } of rounds) for (const [i, slot] of slots.entries()) last[slot] = incoming[i]
const gathered = (list) => {
  const vectors = new Float32Array(list.length * dims)
  for (const [i, row] of list.entries()) vectors.set(rows(all, row), i * dims)
  return vectors
}
const truth = Array.from({ length: queries.count }, (_, q) => {
  const query = rows(queries, q)
  return last
    .map((row, slot) => [distance(query, rows(all, row)), slot])
    .sort((a, b) => a[0] - b[0])
    .slice(0, K)
})

function report(name, cpu, searcherAt) {
  const cells = EFS.map((ef) => {
    const search = searcherAt(ef)
    const within = truth.map((nearest) => new Set(nearest.map(([, slot]) => slot)))
    const rates = []
    let hits = 0
    for (let round = 0; round < 3; round++) {
      hits = 0
      const start = cpuSeconds()
      for (let q = 0; q < queries.count; q++) for (const id of search(rows(queries, q))) if (within[q].has(id)) hits++
      rates.push(queries.count / (cpuSeconds() - start))
    }
    return `${(hits / (K * queries.count)).toFixed(4)}, ${Math.round(median(rates))} a CPU second`
  })
  console.log(`| ${name} | ${cpu.toFixed(1)} | ${cells.join(' | ')} |`)
}

const scratch = mkdtempSync(path.join(tmpdir(), 'shardloom-churn-'))
const PEERS = {
  async usearch() {
    const { default: usearch } = await import('usearch')
    const name = { l2: 'l2sq', cosine: 'cos', ip: 'ip' }[metric]
    const settings = {
      dimensions: dims,
      metric: name,
      quantization: 'f32',
      connectivity: 16,
      expansion_add: 200,
      multi: false,
    }
    const index = new usearch.Index({ ...settings, expansion_search: 64 })
    const keys = (slots) => BigUint64Array.from(slots, BigInt)
    index.add(keys(last.keys()), gathered([...last.keys()]), 2)
    const before = cpuSeconds()
    for (const { slots, incoming } of rounds) {
      for (const slot of slots) index.remove(BigInt(slot))
      index.add(keys(slots), gathered(incoming), 2)
    }
    const took = cpuSeconds() - before
    const file = path.join(scratch, 'usearch')
    index.save(file)
    report('usearch, remove and add', took, (ef) => {
      const searched = new usearch.Index({ ...settings, expansion_search: ef })
      searched.load(file)
      return (query) => Array.from(searched.search(query, K, 1).keys, Number)
    })
  },
  async 'hnswlib-node'() {
    const { default: hnswlib } = await import('hnswlib-node')
    const index = new hnswlib.HierarchicalNSW({ l2: 'l2', cosine: 'cosine', ip: 'ip' }[metric], dims)
    index.initIndex({ maxElements: count, m: 16, efConstruction: 200, allowReplaceDeleted: true })
    for (let slot = 0; slot < count; slot++) index.addPoint([...rows(all, slot)], slot)
    // A replaced place has a new label.
    const slotOf = new Map(Array.from({ length: count }, (_, slot) => [slot, slot]))
    const labelOf = [...last.keys()]
    let label = count
    const before = cpuSeconds()
    for (const { slots, incoming } of rounds) {
      for (const slot of slots) index.markDelete(labelOf[slot])
      for (const [i, slot] of slots.entries()) {
        slotOf.delete(labelOf[slot])
        labelOf[slot] = label
        slotOf.set(label, slot)
        index.addPoint([...rows(all, incoming[i])], label++, true)
      }
    }
    report('hnswlib-node, markDelete and replaceDeleted', cpuSeconds() - before, (ef) => {
      index.setEf(ef)
      return (query) => index.searchKnn([...query], K).neighbors.map((found) => slotOf.get(found))
    })
  },
}

try {
  console.log(JSON.stringify(describeMachine()))
  console.log(
    `${count} x ${dims}, ${rounds.length} rounds of ${changed} replaced${options.regions ? ', by regions' : ''}`,
  )
  console.log(`| | CPU s of the changes | ${EFS.map((ef) => `ef ${ef}`).join(' | ')} |\n|---|---|---|---|---|`)
  await ours()
  for (const peer of options.peers.split(',').filter(Boolean)) await PEERS[peer]()
} finally {
  rmSync(scratch, { recursive: true, force: true })
}

async function ours() {
  const place = path.join(scratch, 'index')
  const ids = Array.from({ length: count }, (_, slot) => slot)
  await buildIndex([{ ids, vectors: gathered(ids), dimensions: dims }], { path: place, metric })
  const index = await openIndex(place, { write: true, preload: true })
  const before = cpuSeconds()
  for (const { slots, incoming } of rounds) {
    await index.upsert({ ids: slots, vectors: gathered(incoming), dimensions: dims })
    await index.flush()
  }
  const took = cpuSeconds() - before
  const at = (ef) => (query) => index.search(query, { k: K, ef }).map(({ id }) => id)
  report(`Shardloom, ${index.live.parts} parts`, took, at)
  const compacting = cpuSeconds()
  await index.compact()
  report('Shardloom, compacted', cpuSeconds() - compacting, at)
  await index.close()
  const fresh = path.join(scratch, 'fresh')
  const building = cpuSeconds()
  await buildIndex([{ ids, vectors: gathered(last), dimensions: dims }], { path: fresh, metric })
  const spent = cpuSeconds() - building
  const built = await openIndex(fresh, { preload: true })
  report('Shardloom, fresh build', spent, (ef) => (query) => built.search(query, { k: K, ef }).map(({ id }) => id))
  await built.close()
}
