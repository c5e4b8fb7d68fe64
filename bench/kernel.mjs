// Rates of the kernel's functions on one core, by hand: `npm run build:kernel && node bench/kernel.mjs`.
// Needs nothing but kernel/kernel.wasm. Time is the process's CPU time, so a neighbour on the machine costs only what
// it takes from caches and clock; each figure is the best of several rounds. The wide tile is made for Node.js 24 with
// `node --experimental-wasm-revectorize bench/kernel.mjs`.
/* global WebAssembly */
import { readFileSync } from 'node:fs'

const PAGES = 4096
const ROUNDS = 6
const ROUND_MS = 100

const memory = new WebAssembly.Memory({ initial: PAGES, maximum: 65_536 })
const wasm = new WebAssembly.Module(readFileSync(process.argv[2] ?? new URL('../kernel/kernel.wasm', import.meta.url)))
const unused = () => 0
const env = { memory, loadPage: unused, loadRow: unused, farDistances: unused, farEqual: unused }
const fn = new WebAssembly.Instance(wasm, { env }).exports

let top = 0
function alloc(bytes) {
  const pointer = Math.ceil(top / 64) * 64
  top = pointer + bytes
  if (top > memory.buffer.byteLength) throw new Error(`the bench needs ${top} bytes of memory`)
  return pointer
}

function cpuMs() {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/**
 * Units per second of `call`. The first round is not counted: V8's optimising tier arrives in it. The clock is a
 * system call of about half a microsecond, so short calls go by in bursts.
 */
function rate(unitsPerCall, call) {
  let best = 0
  let burst = 1
  for (let round = 0; round <= ROUNDS; round++) {
    const start = cpuMs()
    let calls = 0
    let elapsed = 0
    do {
      for (let i = 0; i < burst; i++) call()
      calls += burst
      elapsed = cpuMs() - start
    } while (elapsed < ROUND_MS)
    burst = Math.max(1, Math.floor(calls / 50))
    if (round > 0) best = Math.max(best, (unitsPerCall * calls * 1000) / elapsed)
  }
  return best
}

// A small generator with a fixed seed: the same data on every machine.
let state = 1
function uniform() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return state / 2 ** 32
}

const KINDS = {
  i16: { suffix: 'I16', bytes: 2, view: Int16Array, amplitude: (dims) => Math.sqrt((3 * 4e8) / dims) },
  f32: { suffix: 'F32', bytes: 4, view: Float32Array, amplitude: () => 1 },
}

function randomRows(kind, count, dims) {
  const { bytes, view, amplitude } = KINDS[kind]
  const pointer = alloc(count * dims * bytes)
  const rows = new view(memory.buffer, pointer, count * dims)
  const size = amplitude(dims)
  for (let i = 0; i < rows.length; i++) rows[i] = (uniform() * 2 - 1) * size
  return pointer
}

function print(name, kind, dims, value, unit) {
  console.log(`${name.padEnd(30)} ${kind}  d=${String(dims).padEnd(4)} ${value.toFixed(1).padStart(9)} ${unit}`)
}

function benchTile(kind, dims, count, tile) {
  top = fn.heapBase()
  const { suffix, bytes } = KINDS[kind]
  const rows = randomRows(kind, count, dims)
  const norms = alloc(count * 4)
  const panels = alloc(count * dims * bytes)
  const out = alloc(count * count * 4)
  fn[`norms${suffix}`](rows, count, dims, norms)
  fn[`pack${suffix}`](rows, count, dims, panels)
  const perSecond = rate(count * count * dims, () =>
    fn[`${tile}${suffix}`](rows, norms, count, panels, norms, count, dims, out, count),
  )
  print(`${tile} ${count} x ${count}`, kind, dims, perSecond / 1e9, 'giga multiply-adds/s')
}

// 32 rows out of many: in cache, and out of it (100 MB).
function benchGather(kind, dims, rowCount, where) {
  top = fn.heapBase()
  const { suffix, bytes } = KINDS[kind]
  const rows = randomRows(kind, rowCount, dims)
  const LISTS = 512
  const COUNT = 32
  const lists = alloc(LISTS * COUNT * 4)
  const out = alloc(COUNT * 4)
  const pointers = new Uint32Array(memory.buffer, lists, LISTS * COUNT)
  let list = 0
  const refill = () => {
    for (let i = 0; i < pointers.length; i++) pointers[i] = rows + Math.floor(uniform() * rowCount) * dims * bytes
  }
  refill()
  const perSecond = rate(COUNT, () => {
    fn[`gatherL2${suffix}`](rows, lists + list * COUNT * 4, COUNT, dims, out)
    list = (list + 1) % LISTS
  })
  print(`gather 32, ${where}`, kind, dims, perSecond / 1e6, 'million rows/s')
}

// Candidates of 8 intrinsic dimensions around a member: the density at which about half of a reservoir is occluded.
function benchPrune(kind, dims) {
  top = fn.heapBase()
  const { suffix, bytes, view, amplitude } = KINDS[kind]
  const COUNT = 32
  const LATENT = 8
  const axes = Array.from({ length: LATENT }, () => Array.from({ length: dims }, () => uniform() - 0.5))
  const size = (amplitude(dims) * 2) / LATENT
  const points = Array.from({ length: COUNT }, () => {
    const weights = axes.map(() => uniform() * 2 - 1)
    const row = new view(dims)
    for (let d = 0; d < dims; d++) row[d] = weights.reduce((sum, weight, a) => sum + weight * axes[a][d], 0) * size
    return { row, distance: row.reduce((sum, x) => sum + x * x, 0) }
  }).sort((a, b) => a.distance - b.distance)
  const rows = alloc(COUNT * dims * bytes)
  const list = alloc(COUNT * 4)
  const distances = alloc(COUNT * 4)
  const kept = alloc(COUNT * 8)
  points.forEach(({ row, distance }, i) => {
    new view(memory.buffer, rows + i * dims * bytes, dims).set(row)
    new Uint32Array(memory.buffer, list, COUNT)[i] = rows + i * dims * bytes
    new (kind === 'i16' ? Int32Array : Float32Array)(memory.buffer, distances, COUNT)[i] = distance
  })
  let size16 = 0
  const perSecond = rate(1, () => {
    size16 = fn[`prune${suffix}`](list, distances, COUNT, dims, 16, 1.2, kept)
  })
  print(`prune 32 to ${size16}`, kind, dims, perSecond / 1e3, 'thousand lists/s')
}

function benchNearest(count, k) {
  top = fn.heapBase()
  const ROWS = 2048 // enough that branches cannot be learned by heart
  const rows = alloc(ROWS * count * 4)
  const words = new Int32Array(memory.buffer, rows, ROWS * count)
  for (let i = 0; i < words.length; i++) words[i] = uniform() * 2e9
  const index = alloc(k * 4)
  const distance = alloc(k * 4)
  let row = 0
  const perSecond = rate(count, () => {
    fn.nearestWords(rows + row * count * 4, count, k, index, distance)
    row = (row + 1) % ROWS
  })
  console.log(`${`nearest ${k} of ${count}`.padEnd(42)} ${(perSecond / 1e9).toFixed(2).padStart(9)} giga elements/s`)
}

function benchRows(dims) {
  top = fn.heapBase()
  const COUNT = 512
  const rows = randomRows('f32', COUNT, dims)
  const mean = alloc(dims * 4)
  new Float32Array(memory.buffer, mean, dims).fill(0)
  const norms = alloc(COUNT * 8)
  const grid = alloc(COUNT * dims * 4)
  const each = (name, kind, call) => print(name, kind, dims, rate(COUNT * dims, call) / 1e9, 'giga components/s')
  each('prepareRows, normalise', 'f32', () => fn.prepareRows(rows, COUNT, dims, 1, norms))
  // GRID_ENCODER of kernel/blocks.ts.
  const encoder = alloc(36)
  new Float64Array(memory.buffer, encoder, 3).set([2e4, 5e8, -1])
  new Uint32Array(memory.buffer, encoder + 24, 3).set([mean, dims, dims])
  each('encode', 'i16', () => fn.encodeI16(encoder, rows, COUNT, grid))
  each('encode', 'f32', () => fn.encodeF32(encoder, rows, COUNT, grid))
  each('norms', 'i16', () => fn.normsI16(grid, COUNT, dims, norms))
  each('norms', 'f32', () => fn.normsF32(rows, COUNT, dims, norms))
  each('pack', 'i16', () => fn.packI16(rows, COUNT, dims, grid))
  each('pack', 'f32', () => fn.packF32(rows, COUNT, dims, grid))
}

for (const kind of ['i16', 'f32']) {
  for (const tile of ['distances', 'distancesWide']) {
    for (const dims of [128, 384, 768]) benchTile(kind, dims, 512, tile)
    benchTile(kind, 768, 2048, tile)
  }
}
for (const kind of ['i16', 'f32']) {
  for (const dims of [128, 768]) {
    benchGather(kind, dims, 64, 'in cache')
    benchGather(kind, dims, Math.floor(1e8 / (dims * KINDS[kind].bytes)), 'in 100 MB')
    benchPrune(kind, dims)
  }
}
benchNearest(512, 6)
benchNearest(1000, 3)
benchRows(128)
