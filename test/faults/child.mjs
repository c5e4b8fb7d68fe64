/**
 * Runs the cases that its parent sends, one at a time: a build in a fresh copy of its scenario's folder, with one
 * fault, and checks what must hold afterwards. Started with `--import inject-faults.mjs`.
 */
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ShardloomError, verifyIndex } from '../../dist/src/index.js'
import { siteOf } from './fault-control.mjs'
import { SCENARIOS, warnings } from './scenarios.mjs'

const { faultControl } = globalThis
const work = mkdtempSync(join(process.argv[2], 'work-'))
const folder = join(work, 'case')
const index = join(folder, 'an.index')
/** Unhandled rejections and uncaught exceptions. */
const strays = []
for (const name of ['unhandledRejection', 'uncaughtException']) {
  process.on(name, (error) => strays.push(`${name}: ${error?.stack ?? error}`))
}

/** Every file below a folder, with a hash of its bytes. */
function contentsOf(place) {
  const contents = {}
  for (const entry of readdirSync(place, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    contents[relative(place, path)] = entry.isDirectory()
      ? 'folder'
      : createHash('sha256').update(readFileSync(path)).digest('hex')
  }
  return contents
}

function segmentsOf(contents, generation) {
  const prefix = `an.index/${generation}/`
  const segments = Object.entries(contents).filter(([name]) => name.startsWith(prefix) && name.endsWith('.seg'))
  return JSON.stringify(segments.map(([name, hash]) => [name.slice(prefix.length), hash]).sort())
}

const isLive = ([file]) => /^an\.index\/(?:CURRENT|gen-000001)/.test(file)

/** A folder to copy, and the result of an undisturbed build in it. */
async function prepare(name) {
  const template = join(work, `${name}-template`)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'temp'), { recursive: true })
  await SCENARIOS[name].prepare(folder)
  cpSync(folder, template, { recursive: true })
  const before = contentsOf(folder)
  faultControl.begin(folder)
  const report = await SCENARIOS[name].build(folder)
  const { operations } = faultControl.end()
  const counts = {}
  for (const { thread, operation, path } of operations) {
    const site = siteOf(thread, operation, path)
    counts[site] = (counts[site] ?? 0) + 1
  }
  return {
    template,
    counts,
    live: JSON.stringify(Object.entries(before).filter(isLive)),
    expected: segmentsOf(contentsOf(folder), report.generation),
  }
}

/** Answers of `prepare` by scenario. One child makes them, for all. */
async function prepareAll() {
  const prepared = {}
  for (const scenario of Object.keys(SCENARIOS)) prepared[scenario] = await prepare(scenario)
  return prepared
}

/** Entries of the folder besides the source, the live generations and `keep`. */
function leftIn(contents, keep) {
  const expected = new Set(['input.fvecs', 'ids.txt', 'temp', 'an.index', 'an.index/CURRENT'])
  const generations = ['gen-000001', ...keep].map((name) => `an.index/${name}`)
  return Object.keys(contents).filter(
    (name) => !expected.has(name) && !generations.some((kept) => name === kept || name.startsWith(`${kept}/`)),
  )
}

/** Files that could not be deleted stay, and the build warns about them. */
const REMOVALS = /^main (?:(?:rm|rmdir|readdir) |(?:lstat|open|stat|read|close) .*LOCK$)/

/** How the case ended, and everything about it that must not be. */
async function runCase({ scenario, site, nth, kind, prepared: { template, live, expected } }) {
  rmSync(folder, { recursive: true, force: true })
  cpSync(template, folder, { recursive: true })
  const wrong = []
  let report
  let failure
  warnings.length = 0
  faultControl.begin(folder, { site, nth, kind })
  try {
    report = await SCENARIOS[scenario].build(folder)
  } catch (error) {
    failure = error
  }
  const { hit } = faultControl.end()
  // Stray errors have been thrown by now.
  await sleep(20)
  const contents = contentsOf(folder)
  const removal = REMOVALS.test(site)
  if (report !== undefined) {
    await checkRight(report, contents, expected, wrong)
    const told = warnings.some((warning) => /could (?:not )?be deleted/.test(warning))
    const left = leftIn(contents, [report.generation])
    if (left.length > 0 && !(told && removal))
      wrong.push(`left over${told ? '' : ', and nothing said'}: ${left.join(', ')}`)
  } else {
    const typed = failure instanceof ShardloomError && /^SHARDLOOM_[A-Z_]+$/.test(failure.code)
    if (!typed) wrong.push(`not a typed error: ${failure?.stack ?? failure}`)
    if (kind === 'ENOSPC' && failure.code !== 'SHARDLOOM_DISK_FULL') wrong.push(`no DiskFullError: ${failure?.stack}`)
    if (['short', 'delayed'].includes(kind)) wrong.push(`no reason to fail: ${failure?.stack ?? failure}`)
    const now = JSON.stringify(Object.entries(contents).filter(isLive))
    if (now !== live) wrong.push('the live generation is another one, or changed')
    const keeps = existsSync(join(index, 'build', 'journal'))
    const left = keeps ? [] : leftIn(contents, [])
    if (left.length > 0 && !removal) wrong.push(`left over: ${left.join(', ')}`)
    if (existsSync(join(index, 'build', 'LOCK')) && !removal) wrong.push('the lock was left')
  }
  // A build that succeeded and left nothing needs no further check.
  const clean = report !== undefined && leftIn(contents, [report.generation]).length === 0
  if (wrong.length === 0 && !clean) await runAgain(scenario, { expected, removal }, wrong)
  return { hit, ended: report === undefined ? String(failure?.code ?? failure) : 'right', wrong: [...wrong, ...strays] }
}

async function checkRight({ generation }, contents, expected, wrong) {
  if (segmentsOf(contents, generation) !== expected) wrong.push('other bytes')
  const verified = await verifyIndex(index)
  if (!verified.ok || verified.generation !== generation) {
    wrong.push(`not sound: ${verified.generation} ${JSON.stringify(verified.problems)}`)
  }
}

/** Runs the same command again, undisturbed: it must succeed and remove everything that was left. */
async function runAgain(scenario, { expected, removal }, wrong) {
  try {
    const report = await SCENARIOS[scenario].build(folder)
    const contents = contentsOf(folder)
    await checkRight(report, contents, expected, wrong)
    const generations = readdirSync(index).filter((name) => name.startsWith('gen-'))
    if (generations.length > 2) wrong.push(`second run: ${generations.join(', ')} are kept`)
    // A lock of writers that could not be deleted is taken over by the next writer, not by a build.
    const left = leftIn(contents, generations).filter((name) => !(removal && name.startsWith('an.index/live')))
    if (left.length > 0) wrong.push(`second run: left over: ${left.join(', ')}`)
  } catch (error) {
    wrong.push(`second run: ${error.stack}`)
  }
}

process.on('message', async (message) => {
  const failed = (error) => ({ hit: false, ended: 'nothing', wrong: [error.stack] })
  const answer = message === 'prepare' ? prepareAll() : runCase(message)
  process.send(await answer.catch(failed))
})
process.send('ready')
