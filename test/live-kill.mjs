/**
 * Kills a process that writes to a live index at random moments with SIGKILL, also while it opens, seals, merges and
 * compacts, and compares what is there then with what was acknowledged:
 *
 *     node test/live-kill.mjs [KILLS] [SEED]
 *
 * Each change that was acknowledged is there; of those that were called and not acknowledged each is there whole or not
 * at all. Needs `npm run build`. Exits with 1 otherwise.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clearTimeout, setTimeout } from 'node:timers'
import { fileURLToPath } from 'node:url'
import { openIndex } from '../dist/src/index.js'
import { applyTo, fieldsOf, groups, randomNumbers } from './live/kill/operations.mjs'

const [kills = '20', seed = '1'] = process.argv.slice(2)
const random = randomNumbers(Number(seed))
const folder = mkdtempSync(join(tmpdir(), 'shardloom-live-kill-'))
const path = join(folder, 'an.index')
/** A kill comes this long after the index is open at most; some come before. */
const MOST_MS = 2500

/** What the child said until it was killed. */
function run(childSeed, whileOpening) {
  const program = fileURLToPath(new URL('live/kill/child.mjs', import.meta.url))
  const child = spawn(process.execPath, [program, path, `${childSeed}`], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [output, errors] = ['', '']
  let timer
  const killAfter = (ms) => {
    timer ??= setTimeout(() => child.kill('SIGKILL'), ms)
  }
  if (whileOpening) killAfter(600 + random() * 900)
  child.stdout.on('data', (text) => {
    output += text
    if (output.startsWith('open') || output.includes('\nopen')) killAfter(random() ** 2 * MOST_MS)
  })
  child.stderr.on('data', (text) => (errors += text))
  return new Promise((resolve, reject) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      if (signal === 'SIGKILL') resolve(output.split('\n').slice(0, -1))
      else reject(new Error(`the writer ended with ${signal ?? code}: ${errors}\n${output.slice(-500)}`))
    })
  })
}

function* operationsOf(childSeed) {
  for (const group of groups(childSeed)) yield* group
}

/** What is wrong with the index, after operations of which some are in doubt; the model becomes what is there. */
function compare(index, model, inDoubt) {
  const wrong = []
  for (const operation of inDoubt) {
    const after = new Map(model)
    applyTo(after, operation)
    const touched = operation.ids
    const same = (map) => touched.every((id) => isSame(index.get(id), map.get(id)))
    if (same(after)) applyTo(model, operation)
    else if (!same(model)) wrong.push(`a ${operation.kind} of ${touched.length} ids is there in part`)
  }
  for (const [id, vector] of model) if (!isSame(index.get(id), vector)) wrong.push(`${id} is not as it was`)
  if (index.count !== model.size) wrong.push(`${index.count} vectors, expected ${model.size}`)
  for (const { id } of index.search(new Float32Array(6), { k: 500, ef: 500 })) {
    if (!model.has(id)) wrong.push(`${id} was deleted, and is found`)
  }
  const counts = new Map(index.facets({ field: 'positive' }).map(({ value, count }) => [value, count]))
  for (const positive of [true, false]) {
    const expected = [...model.values()].filter((vector) => fieldsOf(vector).positive === positive).length
    if ((counts.get(positive) ?? 0) !== expected) wrong.push(`${counts.get(positive)} are ${positive}, not ${expected}`)
  }
  return wrong
}

/** Whether it is the row of this vector. */
function isSame(row, vector) {
  if (row === undefined || vector === undefined) return row === vector
  const { positive, words } = fieldsOf(vector)
  return (
    row.vector.every((value, d) => value === vector[d]) &&
    row.fields.positive === positive &&
    row.fields.words === words
  )
}

let wrong = 0
let [acknowledged, doubtful, wholes] = [0, 0, 0]
const events = new Map()
const moments = new Map()
const model = new Map()
try {
  for (let kill = 1; kill <= Number(kills); kill++) {
    const childSeed = Number(seed) * 100_000 + kill
    const lines = await run(childSeed, random() < 0.1 && kill > 1)
    const called = lines.filter((line) => line.startsWith('call ')).length
    const done = new Set(lines.filter((line) => line.startsWith('done ')).map((line) => Number(line.slice(5))))
    for (const line of lines.filter((one) => one.startsWith('event '))) {
      const kind = line.split(' ')[1]
      events.set(kind, (events.get(kind) ?? 0) + 1)
      if (kind === 'maintenance-failed') console.log(line)
    }
    const inDoubt = []
    let number = 0
    for (const operation of operationsOf(childSeed)) {
      if (number === called) break
      if (done.has(number++)) applyTo(model, operation)
      else inDoubt.push(operation)
    }
    acknowledged += done.size
    doubtful += inDoubt.length
    const moment =
      inDoubt
        .map(({ kind }) => kind)
        .sort()
        .at(0) ?? (lines.includes('open') ? 'nothing' : 'opening')
    moments.set(moment, (moments.get(moment) ?? 0) + 1)
    if (kill === 1 && !lines.includes('open')) continue
    // Every other time by a reader, which mends nothing; so the next writer finds what the killed one left.
    const index = await openIndex(path, kill % 2 === 0 ? {} : { write: true })
    const before = model.size
    const problems = compare(index, model, inDoubt)
    if (model.size !== before) wholes++
    await index.close()
    if (problems.length > 0) {
      wrong++
      console.log(`WRONG after kill ${kill}: ${problems.slice(0, 5).join('; ')}`)
      break
    }
  }
  const listed = (counts) => [...counts].map(([name, count]) => `${count} ${name}`).join(', ')
  console.log(`killed during: ${listed(moments)}; events: ${listed(events)}`)
  console.log(`${doubtful} changes were in doubt; ${wholes} times one of them was there`)
  console.log(`${wrong} of ${kills} kills wrong, ${acknowledged} operations acknowledged`)
  process.exitCode = wrong === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
