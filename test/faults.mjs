/**
 * Runs builds with every kind of fault at every file operation of a build. Each build must end with a correct index or
 * a typed error, with the live generation untouched and no file left over:
 *
 *     node test/faults.mjs [--each N] [--every N] [--always TEXT]… [--only TEXT] [--jobs N]
 *
 * `--each`: tries N occurrences of each site, spread evenly (default: all). `--every`: runs every N-th case, and all
 * cases whose name contains an `--always` text. `--only`: runs cases whose name contains the text. Failed cases are
 * printed with their name. SIGINT ends the run after the cases under way. Needs `npm run build`. Exits with 1 when a
 * case fails. The parts are in test/faults.
 */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clearTimeout, setTimeout } from 'node:timers'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { FAULT_KINDS, kindsOf } from './faults/fault-control.mjs'

const { values: flags } = parseArgs({
  options: {
    each: { type: 'string', default: 'Infinity' },
    every: { type: 'string', default: '1' },
    always: { type: 'string', multiple: true, default: [] },
    only: { type: 'string', default: '' },
    jobs: { type: 'string', default: '2' },
  },
})
/** Generous for a build of half a second, because other processes share the machine. */
const DEADLINE_MS = 60_000
const folder = mkdtempSync(join(tmpdir(), 'shardloom-faults-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const here = (name) => fileURLToPath(new URL(`faults/${name}`, import.meta.url))

function startChild() {
  const child = fork(here('child.mjs'), [folder], { execArgv: ['--import', here('inject-faults.mjs')] })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('message', () => resolve(child))
  })
}

/** What the child answers; `died` and `hung` are answers too. */
function ask(child, message, deadlineMs = DEADLINE_MS) {
  return new Promise((resolve) => {
    const onTime = () => answer({ hit: true, ended: 'hung', wrong: [`no end after ${deadlineMs} ms`] })
    const timer = setTimeout(onTime, deadlineMs)
    const onExit = (code, signal) =>
      answer({ hit: true, ended: 'died', wrong: [`the process ended: ${signal ?? code}`] })
    const answer = (value) => {
      clearTimeout(timer)
      child.off('exit', onExit)
      child.off('message', answer)
      resolve(value)
    }
    child.on('exit', onExit)
    child.on('message', answer)
    child.send(message)
  })
}

/** At most `most` of 1 to `count`, spread evenly, including the first and the last. */
function occurrences(count, most) {
  if (count <= most) return Array.from({ length: count }, (_, i) => i + 1)
  if (most === 1) return [1]
  return Array.from({ length: most }, (_, i) => 1 + Math.round((i * (count - 1)) / (most - 1)))
}

function casesOf(sites) {
  const all = sites.flatMap(({ scenario, site, count, kinds }) =>
    kinds.flatMap((kind) => occurrences(count, Number(flags.each)).map((nth) => ({ scenario, site, nth, kind }))),
  )
  const isSampled = (one, i) => i % Number(flags.every) === 0 || flags.always.some((text) => nameOf(one).includes(text))
  return spread(all.filter((one) => nameOf(one).includes(flags.only)).filter(isSampled))
}

/** A fixed order in which the first cases cover all scenarios and sites. */
function spread(cases) {
  const STEP = 7919
  return cases
    .map((one, i) => [(i * STEP) % cases.length, i, one])
    .sort(([a, i], [b, j]) => a - b || i - j)
    .map(([, , one]) => one)
}

const nameOf = ({ scenario, site, nth, kind }) => `${scenario}: ${kind} at ${site} (${nth})`

let stopped = false
process.once('SIGINT', () => {
  stopped = true
})

/** `first`, the child that prepared the scenarios, runs cases too. */
async function runAll(cases, prepared, first) {
  const results = []
  const left = cases.entries()
  const job = async (_, nth) => {
    let child = nth === 0 ? first : await startChild()
    for (const [, one] of left) {
      if (stopped) break
      const result = await ask(child, { ...one, prepared: prepared[one.scenario] })
      results.push({ ...one, ...result })
      if (results.length % 250 === 0) console.error(`${results.length} of ${cases.length}`)
      if (result.wrong.length === 0) continue
      console.log(`WRONG ${nameOf(one)}: ended ${result.ended}\n  ${result.wrong.join('\n  ')}`)
      // A failed case must not affect the next one.
      child.kill('SIGKILL')
      child = await startChild()
    }
    child.disconnect()
  }
  await Promise.all(Array.from({ length: Number(flags.jobs) }, job))
  return results
}

function tally(results, key) {
  const counts = new Map()
  for (const result of results) counts.set(key(result), (counts.get(key(result)) ?? 0) + 1)
  return counts
}

function printTable(sites, results) {
  const width = Math.max(...sites.map(({ site }) => site.length))
  for (const scenario of new Set(sites.map(({ scenario }) => scenario))) {
    console.log(
      `\n${`${scenario}: site`.padEnd(width)}  in a build  ${FAULT_KINDS.map((kind) => kind.padStart(8)).join('')}`,
    )
    for (const { site, count } of sites.filter((one) => one.scenario === scenario)) {
      const hits = tally(
        results.filter((one) => one.scenario === scenario && one.site === site && one.hit),
        ({ kind }) => kind,
      )
      const cells = FAULT_KINDS.map((kind) => String(hits.get(kind) ?? '·').padStart(8))
      console.log(`${site.padEnd(width)}  ${String(count).padStart(10)}  ${cells.join('')}`)
    }
  }
  const endings = tally(
    results.filter(({ hit }) => hit),
    ({ kind, ended }) => `${kind}: ${ended}`,
  )
  console.log(
    `\n${[...endings]
      .sort()
      .map(([name, count]) => `${String(count).padStart(6)}  ${name}`)
      .join('\n')}`,
  )
}

const first = await startChild()
const prepared = await ask(first, 'prepare', 4 * DEADLINE_MS)
if (prepared.wrong !== undefined) throw new Error(`the undisturbed builds failed: ${prepared.wrong.join()}`)
const sites = Object.entries(prepared).flatMap(([scenario, { counts }]) =>
  Object.entries(counts).map(([site, count]) => ({ scenario, site, count, kinds: kindsOf(site) })),
)
// In an order of their own: which thread comes first is chance.
sites.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1))
const cases = casesOf(sites)
const started = performance.now()
const results = await runAll(cases, prepared, first)
printTable(sites, results)
const hit = results.filter((result) => result.hit)
const reached = new Set(hit.map(({ scenario, site }) => `${scenario} ${site}`)).size
const failed = results.filter(({ wrong: problems }) => problems.length > 0).length
console.log(
  `\n${results.length} of ${cases.length} cases, ${hit.length} faults hit at ${reached} of ${sites.length} sites in ` +
    `${Math.round((performance.now() - started) / 1000)} s; ${failed} wrong`,
)
process.exitCode = failed === 0 ? 0 : 1
