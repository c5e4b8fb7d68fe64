// What each parameter of the engine costs and gives: CPU seconds of the whole command, and recall@10 at ef 32, 64, 128.
//
//   node sweep.mjs --set base.bvecs,query.bvecs,gt.ivecs,l2 [--set ...] [--repeat 3] [--quality balanced] [--json FILE]
//                  --variant leafK=5 --variant overlap=2,fanOut=6 ...
//
// synthetic.mjs makes sets with queries and ground truth.
//
// A variant is a list of parameter=value; without any it is what the repository has, which is always measured first.
// `dist=FOLDER` takes another build of the code, for changes that no parameter says. Variants take turns, and medians are
// printed. Nothing in the product reads these parameters from outside: each variant is a copy of dist/ with other numbers.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { median } from './search-curve.mjs'
import { readIvecs } from './vector-files.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const REPORT_USAGE = new URL('report-usage.mjs', import.meta.url).href
const EFS = [32, 64, 128]
const K = 10

/** Where the text of a parameter is, for those that are not in pipnnParameters. */
const TEXTS = {
  overlap: ['src/engines/pipnn/pipnn-engine.js', /overlap: [\d_]+/, (value) => `overlap: ${value}`],
  shardMembers: ['src/engines/pipnn/pipnn-engine.js', /shardMembers: [\d_]+/, (value) => `shardMembers: ${value}`],
  alpha: ['kernel/typed-ops.js', /PRUNE_ALPHA = [\d.]+/, (value) => `PRUNE_ALPHA = ${value}`],
}
const ENGINE_PARAMETERS = ['fanOut', 'leafSize', 'leafK', 'reservoir', 'farReservoir']

const { values: options } = parseArgs({
  options: {
    set: { type: 'string', multiple: true, default: [] },
    variant: { type: 'string', multiple: true, default: [] },
    repeat: { type: 'string', default: '1' },
    quality: { type: 'string', default: 'balanced' },
    threads: { type: 'string', default: '2' },
    json: { type: 'string' },
  },
})

const folder = mkdtempSync(join(tmpdir(), 'sweep-'))
try {
  run()
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function run() {
  const sets = options.set.map(givenSet)
  const variants = ['', ...options.variant].map((text, i) => ({
    name: text || 'as it is',
    home: variantHome(text, i),
    runs: [],
  }))
  for (let round = 0; round < Number(options.repeat); round++) {
    for (const set of sets) for (const variant of variants) variant.runs.push(measure(variant, set))
  }
  for (const set of sets) printTable(set, variants)
  if (options.json !== undefined) writeFileSync(options.json, JSON.stringify(variants, undefined, 1))
}

function givenSet(text) {
  const [base, queries, truth, metric = 'l2'] = text.split(',')
  return { name: base, base, queries, truth, metric }
}

/** A folder with a copy of dist/ that has the variant's parameters. */
function variantHome(text, i) {
  const given = text === '' ? [] : text.split(',').map((part) => part.split('='))
  const from = given.find(([name]) => name === 'dist')?.[1] ?? join(ROOT, 'dist')
  const home = join(folder, `variant-${i}`)
  cpSync(from, join(home, 'dist'), { recursive: true })
  cpSync(join(ROOT, 'package.json'), join(home, 'package.json'))
  symlinkSync(join(ROOT, 'node_modules'), join(home, 'node_modules'))
  const engine = {}
  for (const [name, value] of given) {
    if (name === 'dist') continue
    if (ENGINE_PARAMETERS.includes(name)) engine[name] = Number(value)
    else if (name in TEXTS) change(join(home, 'dist', TEXTS[name][0]), TEXTS[name][1], TEXTS[name][2](value))
    else
      throw new Error(
        `unknown parameter ${name}; there are ${[...ENGINE_PARAMETERS, ...Object.keys(TEXTS), 'dist'].join(', ')}`,
      )
  }
  const parameters = join(home, 'dist/src/engines/pipnn/pipnn-parameters.js')
  change(parameters, 'export function pipnnParameters(', 'function ownParameters(')
  const wrapped = `export const pipnnParameters = (...of) => ({ ...ownParameters(...of), ...${JSON.stringify(engine)} })\n`
  writeFileSync(parameters, readFileSync(parameters, 'utf8') + '\n' + wrapped)
  return home
}

function change(file, pattern, text) {
  const before = readFileSync(file, 'utf8')
  const after = before.replace(pattern, text)
  if (after === before && !before.includes(text)) throw new Error(`${file} has no ${pattern}`)
  writeFileSync(file, after)
}

function measure({ home, name }, set) {
  const out = join(folder, 'out')
  const usageFile = join(folder, 'usage')
  const main = join(home, 'dist/src/cli/main.js')
  const flags = ['--metric', set.metric, '--quality', options.quality, '--threads', options.threads, '--quiet']
  const start = performance.now()
  const build = spawnSync(
    process.execPath,
    ['--import', REPORT_USAGE, main, 'build', set.base, '--out', out, ...flags],
    {
      env: { ...process.env, USAGE_FILE: usageFile },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  )
  if (build.status !== 0) throw new Error(`${name}: the build of ${set.name} ended with exit code ${build.status}`)
  const wall = (performance.now() - start) / 1000
  const { cpu } = JSON.parse(readFileSync(usageFile, 'utf8'))
  const recall = recallOf(home, out, set)
  rmSync(out, { recursive: true })
  console.error(`${name} · ${set.name}: ${cpu.toFixed(2)} s, ${recall.join(' ')}`)
  return { set: set.name, cpu, wall, recall }
}

/** In a process of its own: two copies of the package are two packages. */
function recallOf(home, out, set) {
  const { rows: truth } = readIvecs(set.truth)
  const program = `
    import { openIndex } from ${JSON.stringify(join(home, 'dist/src/index.js'))}
    import { readMatrix } from ${JSON.stringify(fileURLToPath(new URL('vector-files.mjs', import.meta.url)))}
    const { dims, count, vectors } = readMatrix(${JSON.stringify(set.queries)})
    const index = await openIndex(${JSON.stringify(out)})
    const found = ${JSON.stringify(EFS)}.map((ef) => Array.from({ length: count }, (_, i) =>
      index.search(vectors.subarray(i * dims, (i + 1) * dims), { k: ${K}, ef }).map((hit) => hit.id)))
    console.log(JSON.stringify(found))
    await index.close()`
  const search = spawnSync(process.execPath, ['--input-type=module', '-e', program], { maxBuffer: 2 ** 28 })
  if (search.status !== 0) throw new Error(String(search.stderr))
  return JSON.parse(String(search.stdout)).map((found) => {
    const hits = found.reduce((sum, ids, q) => {
      const wanted = new Set(truth[q].subarray(0, K))
      return sum + ids.filter((id) => wanted.has(id)).length
    }, 0)
    return Number((hits / (K * found.length)).toFixed(4))
  })
}

function printTable(set, variants) {
  const rows = variants.map(({ name, runs }) => {
    const own = runs.filter((run) => run.set === set.name)
    return {
      name,
      cpu: median(own.map((run) => run.cpu)),
      wall: median(own.map((run) => run.wall)),
      recall: own[0].recall,
    }
  })
  console.log(`\n${set.name}, ${options.quality}\n`)
  console.log(`| variant | CPU, s | of the first | wall, s | ${EFS.map((ef) => `recall, ef ${ef}`).join(' | ')} |`)
  console.log(`| --- | --- | --- | --- | ${EFS.map(() => '---').join(' | ')} |`)
  for (const { name, cpu, wall, recall } of rows) {
    const share = (cpu / rows[0].cpu).toFixed(2)
    console.log(
      `| ${name} | ${cpu.toFixed(2)} | ${share} | ${wall.toFixed(2)} | ${recall.map((r) => r.toFixed(4)).join(' | ')} |`,
    )
  }
}
