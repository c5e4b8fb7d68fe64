/**
 * Load on the loopback: readers that ask all the time, writers at a rate, and every answer compared with a model of
 * what was acknowledged. Ends with a table of latencies, and with exit code 1 when an answer was wrong.
 *
 *   npx tsx examples/live-service/load.ts [--url http://127.0.0.1:8080] [--replica http://127.0.0.1:8081]
 *     [--seconds 10] [--readers 4] [--writers 2] [--rate 100] [--ids 3000] [--dimensions 32]
 *
 * The service may be killed and started again meanwhile. It must have no vectors at first, and metric cosine.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { checkGet, checkHits, compareAll } from './check-answers.ts'
import { Client, timesTable } from './client.ts'
import { Model, vectorOf } from './model.ts'

const { values: flags } = parseArgs({
  options: {
    url: { type: 'string', default: 'http://127.0.0.1:8080' },
    /** Asked too. It lags behind: its answers must have been true once. */
    replica: { type: 'string' },
    seconds: { type: 'string', default: '10' },
    readers: { type: 'string', default: '4' },
    writers: { type: 'string', default: '2' },
    /** Requests of all writers a second, of 1 to 20 ids each. */
    rate: { type: 'string', default: '100' },
    ids: { type: 'string', default: '3000' },
    dimensions: { type: 'string', default: '32' },
  },
})
const [ids, writers, dimensions] = [Number(flags.ids), Number(flags.writers), Number(flags.dimensions)]
const K = 10
const FIRST_BATCH = 500
const FULL_MS = 30_000

const model = new Model(dimensions)
const main = new Client(flags.url)
const replica = flags.replica === undefined ? undefined : new Client(flags.replica, 'replica ')
const ended = new AbortController()
const wrong: string[] = []
let checked = 0
let changes = 0
let missed = 0
let searches = 0

const idOf = (number: number): string => `item-${number}`
const numbers = Array.from({ length: ids }, (_, number) => number)

for (let from = 0; from < ids; from += FIRST_BATCH) await upsert(numbers.slice(from, from + FIRST_BATCH).map(idOf), 1)
// A replica lags behind: it may have none of them yet.
const full = performance.now() + FULL_MS
while (replica !== undefined && (await replica.count()) < ids) {
  if (performance.now() > full) throw new Error(`the replica has not got ${ids} vectors within ${FULL_MS / 1000} s`)
  await sleep(20)
}
console.log(`wrote ${ids} vectors`)

process.on('SIGTERM', () => ended.abort()).on('SIGINT', () => ended.abort())
setTimeout(() => ended.abort(), 1000 * Number(flags.seconds)).unref()
const readers = Array.from({ length: Number(flags.readers) }, (_, reader) => read(main, reader, false))
if (replica !== undefined) readers.push(read(replica, readers.length, true))
await Promise.all([...readers, ...Array.from({ length: writers }, (_, writer) => write(writer))])

const end = await compareAll(main, model, K)
wrong.push(...end.wrong)
console.log(timesTable(replica === undefined ? [main] : [main, replica]))
console.log(
  `${changes} changes acknowledged, ${main.repeated} requests repeated; ${checked + end.checked} answers checked`,
)
console.log(`at the end ${end.count} vectors, recall@${K} ${end.recall.toFixed(4)}`)
console.log(`${missed} of ${searches} searches for a vector did not find it; ${wrong.length} answers were wrong`)
for (const line of wrong.slice(0, 20)) console.error(line)
if (wrong.length > 0) process.exitCode = 1

/** Asks for vectors of ids, and for ids, one after another. */
async function read(client: Client, reader: number, lags: boolean): Promise<void> {
  for (let step = 0; !ended.signal.aborted; step++) {
    const id = idOf((reader * 7919 + step * 104_729) % ids)
    const began = model.tick()
    const before = model.now(id)
    const from = lags ? 0 : began
    if (step % 4 === 3) {
      const vector = await client.get(id)
      wrong.push(...checkGet(id, vector, model.between(id, from, model.tick()), dimensions))
    } else {
      const query = vectorOf(id, before === undefined || before === 0 ? 1 : before, dimensions)
      const hits = await client.search(query, K)
      wrong.push(...checkHits(query, hits, K, (hit) => model.between(hit, from, model.tick()), dimensions))
      // It was there all the time.
      if (before !== undefined && before > 0 && !lags && model.between(id, began, model.tick()).length === 1) {
        searches++
        if (hits.at(0)?.id !== id) missed++
      }
    }
    checked++
  }
}

/** Changes its own ids: some at a time, one request after another. Every fifth request deletes. */
async function write(writer: number): Promise<void> {
  const own = numbers.filter((number) => number % writers === writer)
  const everyMs = (1000 * writers) / Number(flags.rate)
  let due = performance.now()
  for (let step = 1; !ended.signal.aborted; step++) {
    const count = 1 + ((step * 7) % 20)
    const some = Array.from({ length: count }, (_, at) => idOf(own[(step * 613 + at) % own.length]))
    if (step % 5 === 0) await remove(some)
    else await upsert(some, step + 1)
    due += everyMs
    await sleep(Math.max(0, due - performance.now()))
  }
}

async function upsert(changed: readonly string[], version: number): Promise<void> {
  for (const id of changed) model.begin(id, version)
  await main.upsert(changed.map((id) => ({ id, vector: vectorOf(id, version, dimensions) })))
  acknowledge(changed)
}

async function remove(changed: readonly string[]): Promise<void> {
  for (const id of changed) model.begin(id, 0)
  await main.delete(changed)
  acknowledge(changed)
}

function acknowledge(changed: readonly string[]): void {
  for (const id of changed) model.acknowledge(id)
  changes += changed.length
}
