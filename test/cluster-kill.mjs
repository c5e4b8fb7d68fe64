/**
 * Builds on several hosts while hosts, Redis and the coordinator die at random moments, and compares the bytes with those
 * of a build on one machine:
 *
 *     node test/cluster-kill.mjs [MODE…] [--builds N] [--workers N] [--lock SECONDS] [--vectors N] [--seed N] [--two]
 *
 * The modes are in test/cluster/kill/modes.mjs; default: kill. `all`: each of them. `--two`: another build runs beside, on
 * the same Redis and workers. Each build must have the same bytes, leave no file and no key of Redis, and take no longer
 * than the lost tasks and the lock explain. Needs `npm run build` and redis-server. Exits with 1 otherwise.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { FIELDS, randomNumbers } from './cluster/kill/data.mjs'
import { MODES } from './cluster/kill/modes.mjs'
import { Coordinator } from './cluster/kill/processes.mjs'
import { whyNoRedis } from './cluster/kill/redis.mjs'
import { contentsOf, segmentsOf, Site } from './cluster/kill/site.mjs'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    builds: { type: 'string', default: '10' },
    workers: { type: 'string', default: '2' },
    threads: { type: 'string', default: '1' },
    lock: { type: 'string', default: '3' },
    vectors: { type: 'string', default: '12000' },
    seed: { type: 'string', default: '1' },
    two: { type: 'boolean', default: false },
  },
})
const noRedis = whyNoRedis()
if (noRedis !== undefined) throw new Error(noRedis)
const modes = positionals.includes('all') ? Object.keys(MODES) : positionals.length > 0 ? positionals : ['kill']
for (const mode of modes)
  if (!Object.hasOwn(MODES, mode)) throw new Error(`no mode ${mode}: ${Object.keys(MODES).join(', ')}`)
const random = randomNumbers(Number(flags.seed))
const folder = mkdtempSync(join(tmpdir(), 'shardloom-cluster-kill-'))
const options = {
  lockSeconds: Number(flags.lock),
  workers: Number(flags.workers),
  threads: Number(flags.threads),
  random,
}

const count = Number(flags.vectors)
const dataOf = (seed, fields = false) => ({ count, dimensions: 24, seed, fields })
/** Kinds of builds, taken in turn. */
const BUILDS = [
  { data: dataOf(1), resumable: true, options: { metric: 'l2' } },
  {
    data: dataOf(2),
    resumable: true,
    checkpoints: true,
    options: { metric: 'cosine', quantization: 'pq', queueBytes: 0 },
  },
  { data: dataOf(3, true), resumable: true, options: { metric: 'ip', quantization: 'sq8', fields: FIELDS } },
  { data: dataOf(4), resumable: false, options: { metric: 'l2', quantization: 'pq', quality: 'high' } },
]
const OTHER = { data: dataOf(9), resumable: true, options: { metric: 'l2', quantization: 'sq8' } }
// A build that died after it was published is begun anew, and leaves the one before.
for (const { options: decided } of [...BUILDS, OTHER]) Object.assign(decided, { keepGenerations: 0 })
/** Generous for a build of seconds, because other processes share the machine. */
const DEADLINE_SECONDS = 240

/** Segments of a build on this machine alone, and the seconds of one over undisturbed hosts, by build. */
const undisturbed = new Map()
async function wholeOf(build) {
  const known = undisturbed.get(build)
  if (known !== undefined) return known
  const index = join(mkdtempSync(join(folder, 'local-')), 'an.index')
  const { report } = await new Coordinator({ ...build, index, sharedDir: folder }).finished()
  const expected = segmentsOf(index, report.generation)
  const site = await Site.open(folder, options)
  try {
    const started = performance.now()
    const said = await site.build('an.index', { ...build, dieAt: {} }).finished()
    const seconds = (performance.now() - started) / 1000
    const problems = await problemsAfter(site, [{ name: 'an.index', said, expected }])
    if (problems.length > 0) throw new Error(`undisturbed: ${problems.join('; ')}\n${said.events.join('\n')}`)
    const secondsOfHosts = said.report.stages
      .filter(({ name }) => !['plan', 'ingest', 'assign nodes', 'publish'].includes(name))
      .reduce((sum, stage) => sum + stage.seconds, 0)
    const whole = { expected, seconds, secondsOfHosts, operations: said.operations }
    undisturbed.set(build, whole)
    return whole
  } finally {
    await site.close()
  }
}

/** Of finished builds: bytes, and what is left, also after those who slept have woken up. */
async function problemsAfter(site, builds) {
  const problems = []
  for (const { name, said, expected } of builds)
    problems.push(...(await site.problemsOf(name, { report: said.report, expected })))
  const before = JSON.stringify(contentsOf(site.sharedDir))
  await sleep(2500)
  if (JSON.stringify(contentsOf(site.sharedDir)) !== before) problems.push('a file was changed after the build')
  const names = builds.map(({ name }) => name)
  const reports = builds.map(({ said }) => said.report)
  problems.push(...(await site.leftOver(names, reports)))
  return problems
}

/** An operation of the coordinator on a file of results, segments or the journal. */
function aDeath({ operations }) {
  const sites = Object.keys(operations).filter((site) => !/ (?:stat|statfs|lstat|access|close|closeSync) /.test(site))
  const site = sites[Math.floor(random() * sites.length)]
  return { site, nth: 1 + Math.floor(random() * operations[site]), after: random() < 0.5 }
}

async function within(promise, what) {
  const stop = new AbortController()
  const late = sleep(1000 * DEADLINE_SECONDS, undefined, { signal: stop.signal }).then(
    () => {
      throw new Error(`${what} did not end within ${DEADLINE_SECONDS} s`)
    },
    () => undefined,
  )
  try {
    return await Promise.race([promise, late])
  } finally {
    stop.abort()
  }
}

/** One build in one mode; answers what is wrong. */
async function attempt(mode, build, number) {
  const whole = await wholeOf(build)
  const beside = flags.two || mode === 'both' ? await wholeOf(OTHER) : undefined
  const site = await Site.open(folder, options)
  const problems = []
  try {
    const dieAt = mode === 'journal' ? aDeath(whole) : undefined
    if (dieAt !== undefined) site.did(`to die ${dieAt.after ? 'after' : 'before'} ${dieAt.nth} of ${dieAt.site}`)
    const started = performance.now()
    const first = site.build('an.index', { ...build, dieAt })
    const neighbour = beside && site.build('other.index', OTHER)
    let expected = whole.expected
    const last = await within(
      MODES[mode](site, first, {
        moment: async (part = 1) => {
          await first.said('{"stage":"route"}')
          await sleep(1000 * part * random() * whole.secondsOfHosts)
        },
        again: (how) => site.build('an.index', build, how),
        another: () => {
          expected = undefined
          return site.build('an.index', OTHER)
        },
      }),
      mode,
    )
    expected ??= (await wholeOf(OTHER)).expected
    const said = await within(last.finished(), 'the build')
    const seconds = (performance.now() - started) / 1000
    const builds = [{ name: 'an.index', said, expected }]
    if (neighbour !== undefined) {
      builds.push({
        name: 'other.index',
        said: await within(neighbour.finished(), 'the other build'),
        expected: beside.expected,
      })
    }
    problems.push(...(await problemsAfter(site, builds)))
    problems.push(...site.deeds.filter((deed) => deed.startsWith('WRONG')))
    // A build begins again at worst; two of them share the workers. Other processes share the machine.
    const explained = 2 * (whole.seconds * 2 + (beside?.seconds ?? 0)) + site.lostSeconds
    if (seconds > explained)
      problems.push(`took ${seconds.toFixed(1)} s, and ${explained.toFixed(1)} s can be explained`)
    const events = new Map()
    for (const { kind } of said.report.events) events.set(kind, (events.get(kind) ?? 0) + 1)
    const listed = [...events].map(([kind, times]) => `${times} ${kind}`).join(', ')
    console.log(
      `${number} ${mode}: ${site.deeds.join(', ')}; ${seconds.toFixed(1)} s (undisturbed ${whole.seconds.toFixed(1)} s); ` +
        `${said.report.hosts.reduce((sum, { lostTasks }) => sum + lostTasks, 0)} tasks lost, events: ${listed || 'none'}; ${problems.length === 0 ? 'the same bytes' : `WRONG: ${problems.join('; ')}`}`,
    )
    if (problems.length > 0) console.log(said.events.map((line) => `    ${line}`).join('\n'))
  } catch (error) {
    problems.push(String(error))
    console.log(`${number} ${mode}: ${site.deeds.join(', ')}; WRONG: ${error}`)
    for (const worker of site.workers) console.log(`    worker ${worker.pid}: ${worker.errors.slice(-800)}`)
    for (const one of site.coordinators)
      console.log(`    coordinator ${one.pid}: ${one.output.slice(-800)} ${one.errors.slice(-800)}`)
  } finally {
    const ends = await site.close()
    if (ends.length > 0) console.log(`    WRONG: ${ends.join('; ')}`)
    problems.push(...ends)
  }
  return problems
}

let wrong = 0
let tried = 0
try {
  for (const mode of modes) {
    for (let i = 0; i < Number(flags.builds); i++) {
      const problems = await attempt(mode, BUILDS[tried % BUILDS.length], ++tried)
      if (problems.length > 0) wrong++
    }
  }
  console.log(`${wrong} of ${tried} builds wrong`)
  process.exitCode = wrong === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
