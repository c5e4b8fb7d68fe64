// How long a build of 10, 100 and 1,000 million vectors would take on 1, 4, 16 and 64 hosts, what it would move, and what
// would limit it: a model from the costs that cluster.mjs measured. Nothing of that size was built.
//
//   node cluster.mjs --base base.bvecs --limit 25000 --workers 1 --json few.json
//   node cluster.mjs --base base.bvecs --json most.json
//   node cluster-model.mjs few.json most.json [--counts 10000000,100000000,1000000000] [--hosts 1,4,16,64] [--threads 8]
//                     [--host-memory 64GB] [--network 1.25GB] [--storage 2.5GB] [--reads 200000] [--read-ms 0.5]
//                     [--comparisons 150000000] [--json FILE]
//
// Two results of different sizes tell what a build costs once from what each vector costs; one result is taken in
// proportion. --network: bytes a second of each host (1.25 GB is 10 Gbit/s); --storage: bytes a second of the shared
// folder for all hosts together; --reads: small reads a second of it, --read-ms: how long one takes. --comparisons: vectors a second that one thread compares with a leader.
// The model takes the parts of a stage for side by side, hosts for as fast as the measured machine, results for as large
// as those of the measured vectors, and candidates of a vector for spread over all shards alike.
import { readFileSync, writeFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { parseByteSize } from '../dist/src/memory/byte-size.js'
import { engineByName } from '../dist/src/engines/engine-by-name.js'
import { planStages } from '../dist/src/pipeline/plan-stages.js'
import { renderModel } from './cluster/model-tables.mjs'
import { costsOf, modelBuild, modelSizes } from './cluster/model.mjs'
import { numbersOf } from './tables.mjs'

const OPTIONS = {
  counts: { type: 'string', default: '10000000,100000000,1000000000' },
  hosts: { type: 'string', default: '1,4,16,64' },
  threads: { type: 'string', default: '8' },
  network: { type: 'string', default: '1.25GB' },
  storage: { type: 'string', default: '2.5GB' },
  'host-memory': { type: 'string', default: '64GB' },
  reads: { type: 'string', default: '200000' },
  'read-ms': { type: 'string', default: '0.5' },
  comparisons: { type: 'string', default: '150000000' },
  json: { type: 'string' },
}
const M = 16
/** Buffers of queues do not grow with the count, so a budget per vector that suits the largest suits all. */
const BUDGET_PER_VECTOR = 64
const LEAST_BUDGET = 4e9

/** The plan of a build on a coordinator with one thread of its own. */
function planOf(count, dimensions, metric) {
  const engine = engineByName('pipnn')
  const budgetBytes = Math.max(LEAST_BUDGET, BUDGET_PER_VECTOR * count)
  return planStages({ count, dimensions, metric, m: M, engine, budgetBytes, threads: 1, idBytes: 0 })
}

export function model(results, options) {
  const costs = costsOf(results)
  const { dims, metric } = results[0].data
  const sizeOf = (name) => parseByteSize(options[name], name)
  const host = {
    threads: Number(options.threads),
    memoryBytes: sizeOf('host-memory'),
    networkBytes: sizeOf('network'),
    storageBytes: sizeOf('storage'),
    storageReads: Number(options.reads),
    readSeconds: Number(options['read-ms']) / 1000,
  }
  const machine = { comparisonsPerSecond: Number(options.comparisons) }
  const sizes = numbersOf(options.counts, '--counts').map((count) => {
    const plan = planOf(count, dims, metric)
    const builds = numbersOf(options.hosts, '--hosts').map((hosts) => ({
      hosts,
      ...modelBuild(plan, costs, { count: hosts, ...host }, machine),
    }))
    return { count, ...modelSizes(plan, costs), builds }
  })
  const measured = results.map(({ data, machine: { cpu, date } }) => ({ ...data, cpu, date }))
  return {
    kind: 'cluster-model',
    measured,
    settings: { ...host, ...machine },
    costs,
    sizes,
  }
}

function main() {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true })
  if (positionals.length === 0) throw new Error('give at least one JSON file of cluster.mjs')
  const results = positionals.map((file) => JSON.parse(readFileSync(file, 'utf8')))
  if (new Set(results.map(({ data }) => `${data.dims} ${data.metric}`)).size > 1) {
    throw new Error('the results must have the same dimensions and metric')
  }
  const result = model(results, values)
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`)
  console.log(renderModel(result))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) main()
