// The fixed costs of a process: processor seconds of all its threads, and wall time, as medians.
//   node bench/start.mjs [--runs 9] [--main FILE]...
// Several --main compare builds of Shardloom by turns: a loaded machine is loaded for all of them. The ratio to `node -e 0`
// compares machines.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { randomStream } from './random.mjs'

const BUNDLE = fileURLToPath(new URL('../dist/bundle/lib/main.js', import.meta.url))
const { values } = parseArgs({
  options: { runs: { type: 'string', default: '9' }, main: { type: 'string', multiple: true, default: [BUNDLE] } },
})
const folder = mkdtempSync(join(tmpdir(), 'shardloom-start-'))

function writeVectors(name, count, dimensions) {
  const { uniform } = randomStream(1, name)
  const bytes = Buffer.alloc(count * (4 + 4 * dimensions))
  for (let row = 0, at = 0; row < count; row++) {
    at = bytes.writeInt32LE(dimensions, at)
    for (let d = 0; d < dimensions; d++) at = bytes.writeFloatLE(uniform(), at)
  }
  writeFileSync(join(folder, name), bytes)
}

/** Runs a program once: seconds of wall time, and of processors, which the program itself says at its end. */
function once(args) {
  rmSync(join(folder, 'out'), { recursive: true, force: true })
  const said = join(folder, 'said.cjs')
  const tell = `if (require('node:worker_threads').isMainThread) process.on('exit', () => {
    const { user, system } = process.cpuUsage()
    process.stderr.write('\\n' + (user + system) / 1e6)
  })`
  writeFileSync(said, tell)
  const started = performance.now()
  const { status, stderr } = spawnSync(process.execPath, ['--require', said, ...args], {
    cwd: folder,
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`)
  return { wall: (performance.now() - started) / 1000, cpu: Number(stderr.slice(stderr.lastIndexOf('\n'))) }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]

const COMMANDS = [
  ['--version'],
  ['--help'],
  ['build', 'small.fvecs', '--out', 'out', '--quiet'],
  ['build', 'larger.fvecs', '--out', 'out', '--quiet'],
]

try {
  writeVectors('small.fvecs', 100, 128)
  writeVectors('larger.fvecs', 5000, 192)
  const rows = [['-e', '0'], ...COMMANDS.flatMap((command) => values.main.map((main) => [resolve(main), ...command]))]
  const runs = rows.map(() => [])
  for (let run = 0; run < Number(values.runs); run++) for (const [i, row] of rows.entries()) runs[i].push(once(row))
  const [bare] = runs.map((each) => median(each.map(({ cpu }) => cpu)))
  for (const [i, row] of rows.entries()) {
    const [cpu, wall] = ['cpu', 'wall'].map((name) => median(runs[i].map((each) => each[name])))
    const ratio = (cpu / bare).toFixed(1)
    console.log(`${cpu.toFixed(2)} s cpu (x ${ratio})  ${wall.toFixed(2)} s wall  node ${row.join(' ')}`)
  }
} finally {
  rmSync(folder, { recursive: true })
}
