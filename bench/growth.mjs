// Shardloom's time and memory as the count doubles: prefixes of files, and of synthetic sets.
//
//   node growth.mjs [FILE[:METRIC]...] [--synthetic 100000x128,50000x768] [--counts 12500,25000,50000,100000]
//                   [--intrinsic 16] [--seed 1] [--threads N] [--engine E] [--quality Q] [--memory SIZE] [--repeat N] [--json FILE]
//                   [--scratch DIR]
//
// METRIC is l2 when it is not given. Counts above a file's are left out, and said. With --repeat the counts take turns;
// medians of the times and of the memory are printed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { describeMachine } from './machine.mjs'
import { median } from './search-curve.mjs'
import { buildWithShardloom } from './shardloom-build.mjs'
import { writeSynthetic } from './synthetic.mjs'
import { renderGrowth } from './tables.mjs'
import { shapeOf, writePrefix } from './vector-files.mjs'

const M = 16

/** The growth table as data. @param sets [{ file, metric }] or [{ synthetic: 'NxD' }]. @param options of the command line */
export async function growth(sets, options, say) {
  const { threads, repeat } = options
  const machine = describeMachine()
  const series = []
  for (const set of sets) {
    const folder = mkdtempSync(path.join(options.scratch, 'shardloom-bench-'))
    try {
      series.push(await measure(set, folder, options, say))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  const settings = { m: M, threads: Number(threads), repeat: Number(repeat) }
  return { kind: 'growth', machine, settings, series }
}

async function measure(set, folder, options, say) {
  const { threads, engine, quality, memory } = options
  const metric = set.metric ?? 'l2'
  const source = set.file ?? path.join(folder, 'synthetic.fvecs')
  const name = set.file === undefined ? `synthetic, intrinsic ${options.intrinsic}` : path.basename(set.file)
  if (set.file === undefined) {
    const [count, dimensions] = set.synthetic.split('x').map(Number)
    const { intrinsic, seed } = options
    say(`writing ${count} x ${dimensions} synthetic vectors`)
    writeSynthetic(source, { count, dimensions, intrinsic: Number(intrinsic), seed: Number(seed), stream: 'base' })
  }
  const shape = shapeOf(source)
  const wanted = options.counts.split(',').map(Number)
  const counts = wanted.filter((count) => count <= shape.count)
  if (counts.length < wanted.length) say(`${name} has ${shape.count} vectors: larger counts are left out`)
  const runs = counts.map(() => [])
  for (let round = 0; round < Number(options.repeat); round++) {
    for (const [i, count] of counts.entries()) {
      say(`${name}, first ${count}, run ${round + 1} of ${options.repeat}`)
      const file = path.join(folder, `prefix${path.extname(source)}`)
      const out = path.join(folder, 'index')
      writePrefix(source, count, file)
      runs[i].push(await buildWithShardloom(file, out, { metric, m: M, threads, engine, quality, memory }))
      rmSync(out, { recursive: true, force: true })
    }
  }
  const points = counts.map((count, i) => ({
    count,
    whole: median(runs[i].map((run) => run.whole)),
    cpu: median(runs[i].map((run) => run.cpu)),
    peakRssBytes: median(runs[i].map((run) => run.peakRssBytes)),
    recallAt10: runs[i][0].report.recallAt10,
    runs: runs[i],
  }))
  return { name, dims: shape.dims, metric, points }
}

export const OPTIONS = {
  synthetic: { type: 'string', default: '' },
  counts: { type: 'string', default: '12500,25000,50000,100000' },
  intrinsic: { type: 'string', default: '16' },
  seed: { type: 'string', default: '1' },
  threads: { type: 'string', default: '2' },
  engine: { type: 'string' },
  quality: { type: 'string' },
  memory: { type: 'string' },
  repeat: { type: 'string', default: '1' },
  json: { type: 'string' },
  scratch: { type: 'string', default: tmpdir() },
}

/** 'FILE' or 'FILE:METRIC' → { file, metric } */
export function parseSet(text) {
  const [, file, metric] = /^(.*?)(?::(l2|cosine|ip))?$/.exec(text)
  return { file, metric }
}

async function main() {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true })
  const synthetic = values.synthetic.split(',').filter((size) => size !== '')
  const sets = [...positionals.map(parseSet), ...synthetic.map((size) => ({ synthetic: size }))]
  if (sets.length === 0) throw new Error('name files, or sets with --synthetic')
  const result = await growth(sets, values, (step) => console.error(step))
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`)
  console.log(renderGrowth(result))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
