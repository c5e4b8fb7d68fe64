// A day of an index that changes: 24 rounds of upserts and deletes of 1% each by a writer that is killed in every round,
// a reader in another process that asks all the time, two compactions that are killed and resumed, and a nightly build from
// the source of truth, which has each change before the index does.
// After each round what the writer was told is safe is compared with a model, vector by vector.
//
//   npm run build && cd bench
//   node day.mjs --base base.bvecs --queries query.bvecs [--rounds 24] [--limit N]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildIndex, openIndex } from '../dist/src/index.js'
import { describeMachine } from './machine.mjs'
import { randomStream } from './random.mjs'
import { readMatrix } from './vector-files.mjs'

const { values: options } = parseArgs({
  options: {
    base: { type: 'string' },
    queries: { type: 'string' },
    rounds: { type: 'string', default: '24' },
    limit: { type: 'string', default: 'Infinity' },
    role: { type: 'string', default: 'main' },
    index: { type: 'string' },
  },
})
const ROUNDS = Number(options.rounds)
const COMPACTED = new Set([8, 16])
const NIGHTLY = 20
/** Rows of one call. */
const CALL_ROWS = 100
const roles = { main, writer, reader }
await roles[options.role]()

/** Does what it is told, and answers when it is acknowledged. */
async function writer() {
  const pool = readMatrix(options.base, Number(options.limit))
  const index = await openIndex(options.index, { write: true })
  process.on('message', async ({ call, ids, rows, compact }) => {
    if (compact) void index.compact().then(() => process.send({ compacted: true }))
    else if (rows === undefined) await index.delete(ids)
    else await index.upsert({ ids, vectors: gathered(pool, rows), dimensions: pool.dims })
    if (call !== undefined) process.send({ call })
  })
  process.send({ ready: true })
}

/** Searches one after another, refreshes five times a second, and says how long searches took. */
async function reader() {
  const queries = readMatrix(options.queries)
  const index = await openIndex(options.index)
  let ending = false
  process.on('message', () => (ending = true))
  const times = []
  let refreshed = performance.now()
  let refreshes = 0
  for (let i = 0; !ending; i = (i + 1) % queries.count) {
    const start = performance.now()
    const hits = index.search(row(queries, i), { k: 10, ef: 64 })
    times.push(performance.now() - start)
    if (hits.length !== 10 || new Set(hits.map(({ id }) => id)).size !== 10) process.send({ wrong: hits })
    await sleep(1)
    if (performance.now() - refreshed < 200) continue
    await index.refresh()
    refreshes++
    refreshed = performance.now()
  }
  const ascending = times.toSorted((a, b) => a - b)
  const at = (share) => Number(ascending[Math.floor(share * (ascending.length - 1))].toFixed(2))
  process.send({ searches: times.length, refreshes, p50: at(0.5), p99: at(0.99), p999: at(0.999), most: at(1) })
  await index.close()
  process.disconnect()
}

async function main() {
  const pool = readMatrix(options.base, Number(options.limit))
  const queries = readMatrix(options.queries, 200)
  const count = Math.floor(pool.count * 0.9)
  const changed = Math.floor(count / 100)
  const scratch = mkdtempSync(path.join(tmpdir(), 'shardloom-day-'))
  const place = path.join(scratch, 'index')
  const random = randomStream(1, 'day')
  /** What must be there: id to row of the pool. Undefined: an unacknowledged call may have changed it. */
  const model = new Map(Array.from({ length: count }, (_, id) => [id, id]))
  const open = new Map()
  /** What a database would hold: changed before the index is. */
  let truth = new Map(model)
  console.log(
    JSON.stringify(describeMachine()),
    `${count} x ${pool.dims}, ${changed} upserts and ${changed} deletes a round`,
  )
  try {
    await buildIndex(
      [{ ids: [...model.keys()], vectors: gathered(pool, [...model.values()]), dimensions: pool.dims }],
      {
        path: place,
      },
    )
    const asking = child('reader', place)
    let wrong = 0
    asking.on('message', (message) => (message.wrong ? wrong++ : console.log('reader:', JSON.stringify(message))))
    let nextId = count
    for (let round = 1; round <= ROUNDS; round++) {
      const writing = child('writer', place)
      await once(writing, 'message')
      if (COMPACTED.has(round)) writing.send({ compact: true })
      const nightly = round === NIGHTLY ? nightlyBuild() : undefined
      const acknowledged = await changes(writing, nightly)
      await nightly
      writing.kill('SIGKILL')
      if (writing.exitCode === null && writing.signalCode === null) await once(writing, 'exit')
      if (COMPACTED.has(round)) await compactAgain()
      await check(round, acknowledged)
    }
    const ended = once(asking, 'exit')
    asking.send({ end: true })
    await ended
    console.log(`wrong answers of the reader: ${wrong}`)

    /** Calls until the round is done or, at a random moment before, the writer is killed. */
    async function changes(writing, nightly) {
      const kill = nightly === undefined ? Math.floor(random.uniform() * ((2 * changed) / CALL_ROWS)) : Infinity
      let acknowledged = 0
      for (let from = 0; from < 2 * changed; from += CALL_ROWS) {
        const call = from / CALL_ROWS
        const deleting = call % 2 === 1
        const ids = new Set()
        const known = [...model.keys()]
        while (ids.size < CALL_ROWS) {
          const isNew = !deleting && random.uniform() < 0.5
          ids.add(isNew ? nextId++ : known[Math.floor(random.uniform() * known.length)])
        }
        const list = [...ids]
        const rows = deleting ? undefined : list.map(() => Math.floor(random.uniform() * pool.count))
        for (const [i, id] of list.entries()) rows === undefined ? truth.delete(id) : truth.set(id, rows[i])
        writing.send({ call, ids: list, rows })
        if (call >= kill) {
          await sleep(random.uniform() * 20)
          writing.kill('SIGKILL')
          for (const [i, id] of list.entries()) open.set(id, [model.get(id), rows?.[i]])
          return acknowledged
        }
        for (;;) {
          const [message] = await once(writing, 'message')
          if (message.call === call) break
        }
        for (const [i, id] of list.entries()) rows === undefined ? model.delete(id) : model.set(id, rows[i])
        acknowledged += list.length
      }
      return acknowledged
    }

    /** Reads the source of truth when the build asks for it: later changes stay on top of it. */
    async function nightlyBuild() {
      function* source() {
        yield { ids: [...truth.keys()], vectors: gathered(pool, [...truth.values()]), dimensions: pool.dims }
      }
      await buildIndex(source(), { path: place })
    }

    /** What the kill interrupted goes on. */
    async function compactAgain() {
      const index = await openIndex(place, { write: true })
      await index.compact()
      await index.close()
    }

    async function check(round, acknowledged) {
      const index = await openIndex(place, { write: true })
      let lost = 0
      for (const id of new Set([
        ...model.keys(),
        ...open.keys(),
        ...Array.from({ length: nextId - count }, (_, i) => count + i),
      ])) {
        const stored = index.get(id)?.vector
        const allowed = open.get(id) ?? [model.get(id)]
        const found = allowed.findIndex((one) => isSame(one, stored))
        if (found < 0) lost++
        else if (open.has(id)) allowed[found] === undefined ? model.delete(id) : model.set(id, allowed[found])
      }
      open.clear()
      truth = new Map(model)
      let hits = 0
      for (let q = 0; q < queries.count; q++) {
        const query = row(queries, q)
        const got = index.search(query, { k: 10, ef: 64 })
        for (const { id, distance } of got) {
          const exact = squared(query, row(pool, model.get(id) ?? -1))
          if (!(Math.abs(distance - exact) <= 1e-4 * Math.max(1, exact))) lost++
        }
        const tenth = [...model.values()].map((one) => squared(query, row(pool, one))).sort((a, b) => a - b)[9]
        hits += got.filter(({ distance }) => distance <= tenth * 1.0001).length
      }
      const { parts, memoryRows, deadRows } = index.live
      console.log(
        `round ${round}: ${acknowledged} acknowledged, ${lost} wrong, ${index.count} of ${model.size} there, recall@10 ` +
          `${(hits / (10 * queries.count)).toFixed(4)}, ${parts} parts, ${memoryRows} in memory, ${deadRows} dead`,
      )
      await index.close()
    }

    function isSame(poolRow, vector) {
      if (poolRow === undefined || vector === undefined) return poolRow === vector
      const expected = row(pool, poolRow)
      return vector.every((value, d) => value === expected[d])
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function child(role, index) {
  const args = ['--base', options.base, '--queries', options.queries, '--limit', options.limit, '--index', index]
  return fork(fileURLToPath(import.meta.url), ['--role', role, ...args])
}

function row({ vectors, dims }, i) {
  return vectors.subarray(i * dims, (i + 1) * dims)
}

function gathered(pool, rows) {
  const vectors = new Float32Array(rows.length * pool.dims)
  for (const [i, one] of rows.entries()) vectors.set(row(pool, one), i * pool.dims)
  return vectors
}

function squared(a, b) {
  let sum = 0
  for (let d = 0; d < a.length; d++) sum += (a[d] - b[d]) ** 2
  return sum
}
