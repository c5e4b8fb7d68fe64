/**
 * Writes to a live index with every kind of fault at every operation on its files, the log, parts, dead rows, PARTS:
 *
 *     node --import ./test/faults/inject-faults.mjs test/live-faults.mjs [--each N] [--every N] [--only TEXT]
 *
 * Each call must end rightly or in a typed error, searches must answer as before, later calls must work unless the error
 * says that the index must be opened again, and an index that is opened again must have all that was acknowledged.
 * `--each`: tries N occurrences of each site, spread evenly (default 3). `--every`: runs every N-th case. `--only`: runs
 * cases whose name contains the text. Needs `npm run build`. Exits with 1 when a case fails.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clearTimeout, setTimeout } from 'node:timers'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { buildIndex, openIndex, ShardloomError } from '../dist/src/index.js'
import { JobThread } from '../dist/src/live/jobs/job-thread.js'
import { LiveIndex } from '../dist/src/live/live-index.js'
import runJob from '../dist/workers/live.js'
import { reviveError } from '../dist/src/tasks/task-outcome.js'
import { kindsOf, siteOf } from './faults/fault-control.mjs'
import { applyTo, DIMENSIONS, randomNumbers } from './live/kill/operations.mjs'

const { values: flags } = parseArgs({
  options: {
    each: { type: 'string', default: '3' },
    every: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
})
const { faultControl } = globalThis
const work = mkdtempSync(join(tmpdir(), 'shardloom-live-faults-'))
process.on('exit', () => rmSync(work, { recursive: true, force: true }))
const folder = join(work, 'case')
const path = join(folder, 'an.index')
const strays = []
for (const name of ['unhandledRejection', 'uncaughtException']) {
  process.on(name, (error) => strays.push(`${name}: ${error?.stack ?? error}`))
}
const DEADLINE_MS = 60_000

// On this thread: it is the same work, and threads take long to start.
JobThread.prototype.run = async function (name, job) {
  const outcome = await runJob({ name, job: globalThis.structuredClone(job) })
  if (!outcome.ok) throw reviveError(outcome.error)
  return outcome.value
}

const LIMITS = { maxParts: 3, memoryRows: 40, memoryBytes: 2 ** 20, logBytes: 2 ** 16, maxWaiting: 2 }
const SCENARIOS = {
  /** Parts without graphs, and merges of them. */
  flat: { graphRows: 10_000, steps: ['change', 'change', 'flush', 'change', 'flush', 'change', 'flush', 'change', 'flush', 'change'] }, // prettier-ignore
  /** More than one part in memory takes: writes wait for seals. */
  full: { graphRows: 10_000, steps: ['change', 'change', 'change', 'change', 'change', 'change'] },
  /** A part with a graph, and a compaction. */
  graph: { graphRows: 20, steps: ['change', 'change', 'flush', 'change', 'compact', 'change'] },
}

const ids = Array.from({ length: 90 }, (_, i) => (i % 3 === 0 ? `id ${i}` : i))

/** Changes of a step, which follow from its place. */
function changesOf(step) {
  const random = randomNumbers(1000 + step)
  const some = (count) => [...new Set(Array.from({ length: count }, () => ids[Math.floor(random() * ids.length)]))]
  const upserted = some(25)
  const vectors = Float32Array.from({ length: upserted.length * DIMENSIONS }, () => random() - 0.5)
  return [
    { kind: 'upsert', ids: upserted, vectors },
    { kind: 'delete', ids: some(8) },
  ]
}

const open = (graphRows) =>
  LiveIndex.open(path, {
    durability: 'sync',
    maxAgeSeconds: 300,
    buildThreads: 1,
    limits: { ...LIMITS, graphRows },
  })

/** A built index with a part, and changes in its log. Returns the model. */
async function prepare() {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const model = new Map()
  const random = randomNumbers(5)
  const built = ids.slice(0, 50).map((id) => ({ id, vector: Float32Array.from({ length: DIMENSIONS }, random) }))
  await buildIndex(built, { path, threads: 1, metric: 'l2' })
  for (const { id, vector } of built) model.set(id, vector)
  const index = await open(10_000)
  for (const step of [100, 101]) {
    for (const change of changesOf(step)) {
      await perform(index, change)
      applyTo(model, change)
    }
    if (step === 100) await index.flush()
  }
  await index.close()
  return model
}

function perform(index, { kind, ids: changed, vectors }) {
  return kind === 'upsert' ? index.upsert({ ids: changed, vectors, dimensions: DIMENSIONS }) : index.delete(changed)
}

const isSame = (a, b) => (a === undefined || b === undefined ? a === b : a.every((value, d) => value === b[d]))
const isTyped = (error) => error instanceof ShardloomError && /^SHARDLOOM_[A-Z_]+$/.test(error.code)

/** The steps of a scenario. `wrong` gets what must not be; returns the model and what is in doubt. */
async function runSteps({ graphRows, steps }, start, { kind }, wrong) {
  const model = new Map(start)
  const history = []
  const doubts = new Set()
  const errors = []
  const failed = (what, error) => {
    errors.push(error)
    if (!isTyped(error)) wrong.push(`${what}: not a typed error: ${error?.stack ?? error}`)
    if (['short', 'delayed'].includes(kind)) wrong.push(`${what}: no reason to fail: ${error?.stack ?? error}`)
  }
  let index
  try {
    index = await open(graphRows)
  } catch (error) {
    failed('open', error)
    return { model, start, history, doubts, errors }
  }
  let needsReopening = false
  const call = async (what, work) => {
    const before = errors.length
    try {
      await work()
      return true
    } catch (error) {
      // The fault comes once: a second failure needs a reason.
      if (errors.length > 0 && !needsReopening) wrong.push(`${what} failed after ${errors[0].code}: ${error.stack}`)
      if (errors.length === 0 || !needsReopening) failed(what, error)
      needsReopening ||= error.code === 'SHARDLOOM_LOG_FAILED'
      return errors.length === before
    }
  }
  for (const [at, step] of steps.entries()) {
    if (step === 'change') {
      for (const change of changesOf(at)) {
        let isDone = false
        const wasClosed = needsReopening
        await call(change.kind, async () => {
          await perform(index, change)
          isDone = true
        })
        if (isDone) applyTo(model, change)
        // After the log has failed, nothing is written at all.
        else if (!wasClosed) doubts.add(change)
        if (!wasClosed) history.push(change)
      }
    } else await call(step, () => (step === 'flush' ? index.flush() : index.compact({ threads: 1 })))
    compareSearch(index, model, `after step ${at}`, wrong)
  }
  if (!needsReopening) await call('a last flush', () => index.flush())
  await call('close', () => index.close())
  return { model, start, history, doubts, errors }
}

function compareSearch(index, model, when, wrong) {
  try {
    if (index.count !== model.size) wrong.push(`${when}: ${index.count} vectors, expected ${model.size}`)
    const hits = index.search(new Float32Array(DIMENSIONS), { k: 200, ef: 300 })
    const dead = hits.filter(({ id }) => !model.has(id))
    if (dead.length > 0 || hits.length < 0.9 * model.size) {
      wrong.push(`${when}: ${hits.length} of ${model.size} found, ${dead.length} dead`)
    }
  } catch (error) {
    // A read that failed is told; the next search reads again.
    if (!isTyped(error)) wrong.push(`${when}: a search failed: ${error.stack}`)
  }
}

const isAs = (index, id, model) => isSame(index.get(id)?.vector, model.get(id))

/** The models after all changes, with and without each of those in doubt. */
function possible(start, history, doubts) {
  let models = [new Map(start)]
  for (const change of history) {
    const without = doubts.has(change) ? models.map((model) => new Map(model)) : []
    for (const model of models) applyTo(model, change)
    models = [...models, ...without]
  }
  return models
}

/** Opens it again, undisturbed: all that was acknowledged, and of each other change all or nothing. */
async function compareAgain({ model, start, history, doubts }, wrong) {
  const models = possible(start, history, doubts)
  for (const options of [{}, { write: true }]) {
    let index
    try {
      index = await openIndex(path, options)
    } catch (error) {
      wrong.push(`it cannot be opened again: ${error.stack}`)
      return
    }
    const isOne = models.some((one) => index.count === one.size && ids.every((id) => isAs(index, id, one)))
    if (!isOne) {
      const lost = ids.filter((id) => !isAs(index, id, model))
      wrong.push(`${index.count} vectors, ${model.size} acknowledged; ${doubts.size} changes in doubt; other: ${lost}`)
    }
    const vector = new Float32Array(DIMENSIONS).fill(3)
    if (options.write === true) {
      await index.upsert({ id: 'again', vector })
      if (index.search(vector, { k: 1 })[0]?.id !== 'again') wrong.push('what is written afterwards is not found')
      await index.flush()
    }
    await index.close()
  }
}

function within(promise, ms) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end after ${ms} ms`)), ms)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

function occurrences(count, most) {
  if (count <= most) return Array.from({ length: count }, (_, i) => i + 1)
  if (most === 1) return [1]
  return Array.from({ length: most }, (_, i) => 1 + Math.round((i * (count - 1)) / (most - 1)))
}

const template = join(work, 'template')
const start = await prepare()
cpSync(folder, template, { recursive: true })
const reset = () => {
  rmSync(folder, { recursive: true, force: true })
  cpSync(template, folder, { recursive: true })
}

const cases = []
for (const [name, scenario] of Object.entries(SCENARIOS)) {
  reset()
  faultControl.begin(folder)
  const wrong = []
  await runSteps(scenario, start, { kind: 'none' }, wrong)
  const { operations } = faultControl.end()
  if (wrong.length > 0) throw new Error(`${name}, undisturbed: ${wrong.join('\n')}`)
  const counts = new Map()
  for (const { thread, operation, path: file } of operations) {
    if (!file.includes('an.index/live') || file.includes('/gen-') || file.includes('/build/')) continue
    const site = siteOf(thread, operation, file)
    counts.set(site, (counts.get(site) ?? 0) + 1)
  }
  for (const [site, count] of counts) {
    for (const kind of kindsOf(site)) {
      for (const nth of occurrences(count, Number(flags.each))) cases.push({ name, site, nth, kind })
    }
  }
}
const nameOf = ({ name, site, nth, kind }) => `${name}: ${kind} at ${site} (${nth})`
const chosen = cases.filter((one, i) => i % Number(flags.every) === 0 && nameOf(one).includes(flags.only))
let [hits, failures] = [0, 0]
const endings = new Map()
for (const one of chosen) {
  reset()
  strays.length = 0
  const wrong = []
  faultControl.begin(folder, one)
  let result = { model: start, start, history: [], doubts: new Set(), errors: [] }
  try {
    result = await within(runSteps(SCENARIOS[one.name], start, one, wrong), DEADLINE_MS)
  } catch (error) {
    wrong.push(error.stack)
  }
  const { hit } = faultControl.end()
  await sleep(10)
  if (hit) hits++
  const ended = result.errors[0]?.code ?? 'right'
  endings.set(`${one.kind}: ${ended}`, (endings.get(`${one.kind}: ${ended}`) ?? 0) + 1)
  await compareAgain(result, wrong).catch((error) => wrong.push(error.stack))
  wrong.push(...strays)
  if (wrong.length === 0) continue
  failures++
  console.log(`WRONG ${nameOf(one)}: ended ${ended}\n  ${wrong.slice(0, 4).join('\n  ')}`)
}
for (const [ending, count] of [...endings].sort()) console.log(`${String(count).padStart(6)}  ${ending}`)
console.log(`${chosen.length} of ${cases.length} cases, ${hits} faults hit; ${failures} wrong`)
process.exitCode = failures === 0 ? 0 : 1
