// All tables of PERFORMANCE.md by one command, on an idle machine:
//
//   node performance.mjs --out DIR --set base.bvecs,query.bvecs,truth.ivecs,l2 --set ... [--repeat 3] [--threads 2]
//                        [--engine E] [--quality Q] [--synthetic 1000000x128,250000x768,100000x1536] [--synthetic-peers usearch]
//                        [--quick] [--scratch DIR]
//
// For each --set all contenders, for each synthetic size Shardloom and --synthetic-peers, and then growth on all sets
// and on the synthetic 128 and 768 dimensions. DIR gets a JSON file per comparison and tables.md; the tables are printed.
// What DIR has already is not measured again. --quick is to see that it works.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { compare, OPTIONS as COMPARE } from './compare.mjs'
import { growth, OPTIONS as GROWTH } from './growth.mjs'
import { renderComparison, renderGrowth } from './tables.mjs'

/** Fewer than for real data: exact neighbours of a million vectors take their time. */
const SYNTHETIC_QUERIES = '500'

const { values: options } = parseArgs({
  options: {
    out: { type: 'string' },
    set: { type: 'string', multiple: true, default: [] },
    repeat: { type: 'string', default: '3' },
    threads: { type: 'string', default: '2' },
    engine: { type: 'string' },
    quality: { type: 'string' },
    synthetic: { type: 'string', default: '1000000x128,250000x768,100000x1536' },
    'synthetic-peers': { type: 'string', default: 'usearch' },
    quick: { type: 'boolean', default: false },
    scratch: { type: 'string', default: tmpdir() },
  },
})
if (options.out === undefined) throw new Error('--out DIR is missing')
mkdirSync(options.out, { recursive: true })

const { threads, engine, quality, repeat, quick, scratch } = options
const given = { threads, engine, quality, repeat, scratch }
const say = (step) => console.error(`${new Date().toISOString().slice(11, 19)} ${step}`)
const sets = options.set.map((text) => {
  const [base, queries, truth, metric = 'l2'] = text.split(',')
  if (queries === undefined) throw new Error(`--set ${text}: expected base,queries,truth,metric`)
  return { base, queries, truth: truth === '' ? undefined : truth, metric }
})
const sizes = options.synthetic.split(',').filter((size) => size !== '')
const parts = []

for (const { base, queries, truth, metric } of sets) {
  const set = { ...defaults(COMPARE), ...given, quick, base, queries, 'ground-truth': truth, metric }
  await part(path.parse(base).name, () => compare(set, say), renderComparison)
}
for (const synthetic of sizes) {
  const set = {
    ...defaults(COMPARE),
    ...given,
    quick,
    synthetic,
    peers: options['synthetic-peers'],
    'synthetic-queries': SYNTHETIC_QUERIES,
  }
  await part(`synthetic-${synthetic}`, () => compare(set, say), renderComparison)
}
const growing = [
  ...sets.map(({ base, metric }) => ({ file: base, metric })),
  ...(quick ? [] : [{ synthetic: '100000x128' }, { synthetic: '100000x768' }]),
]
const counts = quick ? '2500,5000,10000' : GROWTH.counts.default
await part('growth', () => growth(growing, { ...defaults(GROWTH), ...given, counts }, say), renderGrowth)
writeFileSync(path.join(options.out, 'tables.md'), `${parts.join('\n\n')}\n`)
console.log(parts.join('\n\n'))

async function part(name, measure, render) {
  const file = path.join(options.out, `${name}.json`)
  if (existsSync(file)) say(`${file} is there: not measured again`)
  else writeFileSync(file, `${JSON.stringify(await measure(), undefined, 2)}\n`)
  parts.push(render(JSON.parse(readFileSync(file, 'utf8'))))
}

function defaults(flags) {
  return Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, flag.default]))
}
