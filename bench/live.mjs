// What changing an index costs: upserts per second, an awaited one beside an fsync, searches with changes in memory, while
// sealing and while compacting, and reopening.
//
//   npm run build && cd bench
//   node live.mjs --base base.fvecs --queries query.fvecs [--metric l2] [--changed 10000] [--seconds 5] [--scratch DIR]
//
// The vectors of --base are built into an index; the changes are its last vectors, a little moved.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { buildIndex, openIndex, readVectors } from '../dist/src/index.js'
import { describeMachine, peakRssBytes } from './machine.mjs'
import { randomStream } from './random.mjs'
import { readMatrix, shapeOf } from './vector-files.mjs'

const { values: options } = parseArgs({
  options: {
    base: { type: 'string' },
    queries: { type: 'string' },
    metric: { type: 'string', default: 'l2' },
    changed: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '5' },
    scratch: { type: 'string', default: tmpdir() },
  },
})
const CHANGED = Number(options.changed)
const SECONDS = Number(options.seconds)
const scratch = mkdtempSync(path.join(options.scratch, 'shardloom-live-'))
const place = path.join(scratch, 'index')
const say = (name, text) => console.log(`${name.padEnd(58)} ${text}`)

const { count, dims } = shapeOf(options.base)
const queries = readMatrix(options.queries)
const random = randomStream(1, 'live')

/** Rows near those of the index, with ids of theirs or new ones. */
function changes(rows, from, isNew) {
  const vectors = new Float32Array(rows * dims)
  for (let i = 0; i < rows; i++) {
    const row = queries.vectors.subarray((i % queries.count) * dims, ((i % queries.count) + 1) * dims)
    for (let d = 0; d < dims; d++) vectors[i * dims + d] = row[d] * (1 + 0.01 * (random.uniform() - 0.5))
  }
  return {
    ids: Array.from({ length: rows }, (_, i) => (isNew ? count + from + i : from + i)),
    vectors,
    dimensions: dims,
  }
}

function percentiles(times) {
  const ascending = times.toSorted((a, b) => a - b)
  const at = (share) => ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))].toFixed(3)
  return `p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)}, most ${ascending.at(-1).toFixed(1)} ms (${times.length} searches)`
}

/** Searches one by one, with a turn for other work after each, until `until` resolves. */
async function searchTimes(index, until) {
  let ended = false
  const wait = until.finally(() => {
    ended = true
  })
  const times = []
  for (let i = 0; !ended; i = (i + 1) % queries.count) {
    const query = queries.vectors.subarray(i * dims, (i + 1) * dims)
    const start = performance.now()
    index.search(query, { k: 10, ef: 64 })
    times.push(performance.now() - start)
    await setImmediate()
  }
  await wait
  return times
}

function fsyncMs() {
  const file = path.join(scratch, 'fsync')
  const fd = openSync(file, 'w')
  const bytes = new Uint8Array(64 + 4 * dims)
  const times = []
  for (let i = 0; i < 300; i++) {
    const start = performance.now()
    writeSync(fd, bytes)
    fdatasyncSync(fd)
    times.push(performance.now() - start)
  }
  closeSync(fd)
  rmSync(file)
  return times.toSorted((a, b) => a - b)[150]
}

try {
  console.log(JSON.stringify(describeMachine()), `${count} x ${dims}`)
  const built = performance.now()
  await buildIndex(readVectors(options.base), { path: place, metric: options.metric, quality: 'balanced' })
  say('build of the base', `${((performance.now() - built) / 1000).toFixed(1)} s`)
  let index = await openIndex(place, { write: true, preload: true })
  const before = await searchTimes(index, sleep(1000 * SECONDS))
  say('searches of the base alone', percentiles(before))

  const half = Math.floor(CHANGED * 0.999)
  for (let from = 0; from < half; from += 1000) await index.upsert(changes(Math.min(1000, half - from), from, false))
  say('', `${index.live.memoryRows} rows in memory, ${index.live.deadRows} dead ones in the base`)
  say('searches of base and memory', percentiles(await searchTimes(index, sleep(1000 * SECONDS))))
  await index.close()
  const opened = performance.now()
  index = await openIndex(place, { write: true })
  say('reopening with these changes in the log', `${(performance.now() - opened).toFixed(0)} ms`)
  await index.close()
  const reopened = performance.now()
  index = await openIndex(place)
  say('reopening to read', `${(performance.now() - reopened).toFixed(0)} ms`)
  await index.close()
  index = await openIndex(place, { write: true, preload: true })
  await index.flush()

  const device = fsyncMs()
  const single = []
  for (let i = 0; i < 300; i++) {
    const one = changes(1, CHANGED + i, true)
    const start = performance.now()
    await index.upsert(one)
    single.push(performance.now() - start)
  }
  const awaited = single.toSorted((a, b) => a - b)[150]
  say(
    'one awaited upsert, beside a write and an fdatasync',
    `${awaited.toFixed(2)} ms, ${device.toFixed(2)} ms: ${(awaited / device).toFixed(2)}x`,
  )

  for (const rows of [CHANGED, 10 * CHANGED]) {
    const batches = Array.from({ length: rows / 1000 }, (_, i) => changes(1000, 1000 * i, true))
    await index.flush()
    const start = performance.now()
    for (const batch of batches) await index.upsert(batch)
    const seconds = (performance.now() - start) / 1000
    say(
      `${rows} upserts in batches of 1,000, sync`,
      `${Math.round(rows / seconds)} per second, ${index.live.waits} waits`,
    )
  }

  await index.flush()
  const sealing = (async () => {
    for (let round = 0; round < 4; round++) {
      await index.upsert(changes(5000, 200_000 + 5000 * round, true))
      await index.flush()
    }
  })()
  say('searches while 4 x 5,000 rows are written and sealed', percentiles(await searchTimes(index, sealing)))
  const cpu = process.cpuUsage()
  const start = performance.now()
  let report
  const compacting = index.compact().then((done) => (report = done))
  say('searches during a compaction', percentiles(await searchTimes(index, compacting)))
  const { user, system } = process.cpuUsage(cpu)
  say(
    'the compaction',
    `${((performance.now() - start) / 1000).toFixed(1)} s, ${((user + system) / 1e6).toFixed(1)} CPU s with the searches, ${report.count} vectors`,
  )
  say('searches after it', percentiles(await searchTimes(index, sleep(1000 * SECONDS))))
  say('peak memory of the process', `${Math.round(peakRssBytes() / 1e6)} MB`)
  await index.close()
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
