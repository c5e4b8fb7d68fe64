// Time per phase of one shard graph by the pipnn engine, and the share of the distance tile, on one core:
// `node --import tsx bench/pipnn.mjs FILE.bvecs [members] [balanced|high] [i16|f32]`, with kernel/kernel.wasm built.
// The members are the first of the file that are nearest to one of them, as in a shard. Codes are scaled as in a build.
import { readFileSync } from 'node:fs'
import { Kernel } from '../kernel/kernel.ts'
import { pipnnEngine } from '../src/engines/pipnn/pipnn-engine.ts'

const [file, membersText = '12000', quality = 'balanced', kind = 'i16'] = process.argv.slice(2)
const bytes = readFileSync(file)
const dims = bytes.readUInt32LE(0)
const total = bytes.length / (4 + dims)
const members = Math.min(Number(membersText), total)

const rowOf = (row) => bytes.subarray(row * (4 + dims) + 4, (row + 1) * (4 + dims))
function distance(a, b) {
  let sum = 0
  for (let d = 0; d < dims; d++) sum += (a[d] - b[d]) ** 2
  return sum
}
const leader = rowOf(Math.floor(total / 3))
const far = Float64Array.from({ length: total }, (_, row) => distance(leader, rowOf(row)))
const chosen = Uint32Array.from(far.keys())
  .sort((a, b) => far[a] - far[b])
  .subarray(0, members)
  .sort()

const mean = new Float64Array(dims)
for (const row of chosen) rowOf(row).forEach((value, d) => (mean[d] += value / members))
let largest = 0
for (const row of chosen) {
  largest = Math.max(
    largest,
    rowOf(row).reduce((sum, value, d) => sum + (value - mean[d]) ** 2, 0),
  )
}
const scale = Math.sqrt(4.9e8 / largest)

const gridDims = Math.ceil(dims / 8) * 8
const kernel = Kernel.create()
const grid = kernel.alloc(members * gridDims * 4)
const view = kind === 'i16' ? kernel.i16(grid, members * gridDims) : kernel.f32(grid, members * gridDims)
chosen.forEach((row, i) =>
  rowOf(row).forEach((value, d) => (view[i * gridDims + d] = Math.round((value - mean[d]) * scale))),
)

// Each of the kernel's functions is timed by wrapping it: the engine knows nothing of the bench.
const PHASES = {
  pipnnSketch: 'sketch',
  pipnnShuffle: 'carving',
  pipnnNearestLeaders: 'carving',
  pipnnOfferFar: 'far',
  pipnnScatter: 'carving',
  pipnnMirror: 'mirror',
  pipnnOffer: 'leaves: select and offer',
  pipnnCandidates: 'rows',
  pipnnJoin: 'join',
  pipnnCompact: 'rows',
  distances: 'tile',
  distancesWide: 'tile',
  pipnnGather: 'gather and pack',
  pack: 'gather and pack',
  norms: 'gather and pack',
}
const times = {}
let multiplyAdds = 0
const timed = { ...kernel.fn }
for (const [name, call] of Object.entries(kernel.fn)) {
  const phase = PHASES[name] ?? PHASES[name.replace(/(I16|F32)$/, '')]
  if (phase === undefined) continue
  timed[name] = (...args) => {
    if (phase === 'tile') multiplyAdds += args[2] * args[5] * args[6]
    const start = performance.now()
    const result = call(...args)
    times[phase] = (times[phase] ?? 0) + performance.now() - start
    return result
  }
}
Object.defineProperty(kernel, 'fn', { value: timed })

const ROUNDS = 4
const shard = { count: members, gridDims, kind, grid }
for (let round = 0; round < ROUNDS; round++) {
  for (const phase of Object.keys(times)) delete times[phase]
  multiplyAdds = 0
  const start = performance.now()
  const graph = await pipnnEngine.build(kernel, shard, { m: 16, seed: 1, quality, maxDegree: 32 })
  const elapsed = performance.now() - start
  const rest = elapsed - Object.values(times).reduce((sum, ms) => sum + ms, 0)
  const row = Object.entries({ ...times, rest }).map(([phase, ms]) => `${phase} ${ms.toFixed(1)}`)
  console.log(
    `${members} x ${dims} ${kind} ${quality}: ${elapsed.toFixed(1)} ms (${row.join(', ')}); ` +
      `tile ${((100 * times.tile) / elapsed).toFixed(0)}%, ${(multiplyAdds / times.tile / 1e6).toFixed(1)} G multiply-adds/s; ` +
      `degree ${(graph.neighbours.length / members).toFixed(1)}`,
  )
}
