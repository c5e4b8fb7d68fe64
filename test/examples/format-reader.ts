/**
 * A reader written from docs/format.md alone: it imports nothing of Shardloom. What it cannot do, the document does not
 * say. Slow, and everything in memory.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { crc32 } from 'node:zlib'

const HEADER_BYTES = 4096
const BLOCK_BYTES = 16_384
const KINDS = [
  '', 'vectors', 'links', 'upper', 'ids', 'id-table', 'codes', 'codebook',
  'fields', 'column', 'dictionary', 'terms', 'postings',
] // prettier-ignore

interface Segment {
  readonly name: string
  readonly kind: string
  readonly firstNode: number
  readonly count: number
  readonly bytes: number
  readonly crc32: number
}

interface Manifest {
  readonly generation: string
  readonly metric: 'l2' | 'cosine' | 'ip'
  readonly dimensions: number
  readonly storage?: 'f32' | 'f16' | 'sq8' | 'pq' | 'binary'
  readonly count: number
  readonly m: number
  readonly entryPoint: { readonly node: number; readonly level: number; readonly index: number }
  readonly levels: number
  readonly segments: readonly Segment[]
}

interface Level {
  readonly nodes: Uint32Array
  readonly down: Uint32Array
  readonly links: readonly number[][]
}

export interface ReadIndex {
  readonly manifest: Manifest
  readonly vectors: readonly Float32Array[]
  readonly links: readonly number[][]
  readonly ids: readonly (string | number)[]
  readonly levels: readonly Level[]
  /** By node; empty with storage f32. */
  readonly codes: readonly Uint8Array[]
  readonly codebook: Float32Array
}

function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(`not as docs/format.md says: ${what}`)
}

export function readIndex(indexDir: string): ReadIndex {
  const line = /^(gen-\d{6,}) ([0-9a-f]{8})\n$/.exec(readFileSync(path.join(indexDir, 'CURRENT'), 'latin1'))
  if (line === null) throw new Error('CURRENT is not as docs/format.md says')
  const folder = path.join(indexDir, line[1])
  const json = readFileSync(path.join(folder, 'manifest.json'))
  expectThat(crc32(json) === Number.parseInt(line[2], 16), 'CRC of the manifest')
  const manifest = JSON.parse(json.toString('utf8')) as Manifest
  const { dimensions, m } = manifest

  const vectors: Float32Array[] = []
  const links: number[][] = []
  const ids: (string | number)[] = []
  let levels: Level[] = []
  const codes: Uint8Array[] = []
  let codebook: Float32Array = new Float32Array(0)
  for (const segment of manifest.segments) {
    const data = readData(path.join(folder, segment.name), segment, dimensions)
    if (segment.kind === 'vectors') {
      expectThat(segment.firstNode === vectors.length, 'vectors without gap')
      const numbers = new Float32Array(data.buffer)
      for (let i = 0; i < segment.count; i++) vectors.push(numbers.subarray(i * dimensions, (i + 1) * dimensions))
    } else if (segment.kind === 'links') {
      expectThat(segment.firstNode === links.length, 'links without gap')
      links.push(...linkRows(new Uint32Array(data.buffer), 2 * m))
    } else if (segment.kind === 'ids') {
      expectThat(segment.firstNode === ids.length, 'ids without gap')
      ids.push(...readIds(data, segment.count))
    } else if (segment.kind === 'codes') {
      expectThat(segment.firstNode === codes.length, 'codes without gap')
      const stride = data.length / segment.count
      for (let i = 0; i < segment.count; i++) codes.push(data.subarray(i * stride, (i + 1) * stride))
    } else if (segment.kind === 'codebook') {
      codebook = new Float32Array(data.buffer)
    } else if (segment.kind === 'upper') {
      levels = readLevels(new Uint32Array(data.buffer), m)
    }
  }
  return { manifest, vectors, links, ids, levels, codes, codebook }
}

/** The data of a segment, in a buffer of its own. */
function readData(file: string, segment: Segment, dimensions: number): Uint8Array {
  const bytes = readFileSync(file)
  expectThat(bytes.length === segment.bytes && crc32(bytes) === segment.crc32, `size and CRC of ${file}`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  expectThat(bytes.toString('latin1', 0, 8) === 'SHRDLOOM' && view.getUint32(8, true) === 1, `magic of ${file}`)
  expectThat(KINDS[view.getUint32(12, true)] === segment.kind, `kind of ${file}`)
  expectThat(Number(view.getBigUint64(16, true)) === segment.firstNode, `first node of ${file}`)
  expectThat(Number(view.getBigUint64(24, true)) === segment.count, `count of ${file}`)
  expectThat(view.getUint32(36, true) === dimensions, `dimensions of ${file}`)
  expectThat(view.getUint32(48, true) === BLOCK_BYTES, `block bytes of ${file}`)
  expectThat(view.getUint32(HEADER_BYTES - 4, true) === crc32(bytes.subarray(0, HEADER_BYTES - 4)), `header of ${file}`)

  const dataBytes = Number(view.getBigUint64(40, true))
  const stride = view.getUint32(32, true)
  expectThat(stride === 0 || stride * segment.count === dataBytes, `stride of ${file}`)
  const blocks = Math.ceil(dataBytes / BLOCK_BYTES)
  const tableAt = HEADER_BYTES + dataBytes
  expectThat(bytes.length === tableAt + 4 * blocks + 4, `length of ${file}`)
  const data = bytes.subarray(HEADER_BYTES, tableAt)
  for (let block = 0; block < blocks; block++) {
    const sum = crc32(data.subarray(block * BLOCK_BYTES, (block + 1) * BLOCK_BYTES))
    expectThat(view.getUint32(tableAt + 4 * block, true) === sum, `block ${block} of ${file}`)
  }
  const tableSum = crc32(bytes.subarray(tableAt, tableAt + 4 * blocks))
  expectThat(view.getUint32(tableAt + 4 * blocks, true) === tableSum, `table of ${file}`)
  return new Uint8Array(data)
}

/** Rows of a count, that many numbers, and zeros up to `most`. */
function linkRows(words: Uint32Array, most: number): number[][] {
  const rows: number[][] = []
  for (let at = 0; at < words.length; at += 1 + most) {
    const end = at + 1 + words[at]
    rows.push([...words.subarray(at + 1, end)])
    expectThat(
      words.subarray(end, at + 1 + most).every((word) => word === 0),
      'zeros after links',
    )
  }
  return rows
}

function readIds(data: Uint8Array, count: number): (string | number)[] {
  const bytes = Buffer.from(data.buffer)
  const idAt = (i: number): number => 4 * (count + 1) + bytes.readUInt32LE(4 * i)
  expectThat(idAt(count) === bytes.length, 'the last offset')
  return Array.from({ length: count }, (_, i) => {
    const [start, end] = [idAt(i), idAt(i + 1)]
    return bytes[start] === 1 ? bytes.toString('utf8', start + 1, end) : Number(bytes.readBigInt64LE(start + 1))
  })
}

function readLevels(words: Uint32Array, m: number): Level[] {
  let at = 0
  const take = (count: number): Uint32Array => words.subarray(at, (at += count))
  const [levelCount] = take(1)
  const levels = Array.from({ length: levelCount }, (): Level => {
    const [count] = take(1)
    return { nodes: take(count), down: take(count), links: linkRows(take(count * (1 + m)), m) }
  })
  expectThat(at === words.length, 'nothing after the last level')
  return levels
}

/** "Searching it", step by step. */
export function searchIndex(index: ReadIndex, query: readonly number[], k: number, ef: number): (string | number)[] {
  const { manifest, vectors, links, ids, levels } = index
  const length = Math.hypot(...query)
  const unit = manifest.metric === 'cosine' ? query.map((x) => x / length) : query
  const distanceTo = (node: number): number => {
    const dot = unit.reduce((sum, x, d) => sum + x * vectors[node][d], 0)
    if (manifest.metric !== 'l2') return (manifest.metric === 'cosine' ? 1 : 0) - dot
    return unit.reduce((sum, x, d) => sum + (x - vectors[node][d]) ** 2, 0)
  }

  let at = manifest.entryPoint.index
  for (const { nodes, down, links } of levels.toReversed()) {
    for (;;) {
      const nearest = [at, ...links[at]]
        .map((place) => ({ place, distance: distanceTo(nodes[place]) }))
        .reduce((best, next) => (next.distance < best.distance ? next : best))
      if (nearest.place === at) break
      at = nearest.place
    }
    at = down[at]
  }

  const seen = new Set([at])
  const beam = [{ node: at, distance: distanceTo(at), expanded: false }]
  for (let next = beam.at(0); next !== undefined; next = beam.find(({ expanded }) => !expanded)) {
    next.expanded = true
    for (const node of links[next.node]) {
      if (seen.has(node)) continue
      seen.add(node)
      beam.push({ node, distance: distanceTo(node), expanded: false })
    }
    beam.sort((a, b) => a.distance - b.distance || a.node - b.node)
    beam.length = Math.min(beam.length, Math.max(k, ef))
  }
  return beam.slice(0, k).map(({ node }) => ids[node])
}

/** "codes" and "codebook.seg": the code of a vector. */
export function encode({ manifest, codebook }: ReadIndex, x: Float32Array): Uint8Array {
  const { dimensions: D, metric, storage } = manifest
  if (storage === 'f16') {
    const code = new DataView(new ArrayBuffer(2 * D))
    x.forEach((value, d) => code.setUint16(2 * d, toHalf(value), true))
    return new Uint8Array(code.buffer)
  }
  if (storage === 'sq8') {
    const code = new DataView(new ArrayBuffer(4 * Math.ceil(D / 4) + 4))
    let norm = 0
    x.forEach((value, d) => {
      const [middle, step] = [codebook[d], codebook[D + d]]
      const steps =
        step === 0 ? 1000 * Math.sign(value - middle) : evenly(Math.fround(Math.fround(value - middle) / step))
      const rounded = Math.min(127, Math.max(-127, steps))
      code.setInt8(d, rounded)
      norm = Math.fround(norm + Math.fround(Math.fround(step * rounded) ** 2))
    })
    code.setFloat32(code.byteLength - 4, { l2: norm, cosine: norm / 2, ip: 0 }[metric], true)
    return new Uint8Array(code.buffer)
  }
  if (storage === 'pq') {
    return Uint8Array.from(subspaces(D), ([from, to]) => {
      const squared = Array.from({ length: 256 }, (_, c) => {
        let sum = 0
        for (let d = from; d < to; d++)
          sum = Math.fround(sum + Math.fround(Math.fround(x[d] - codebook[256 * d + c]) ** 2))
        return sum
      })
      return squared.indexOf(Math.min(...squared))
    })
  }
  const code = new Uint8Array(16 * Math.ceil(D / 128))
  turn(x, codebook).forEach((value, d) => {
    if (value < 0 || Object.is(value, -0)) code[d >> 3] += 2 ** (d & 7)
  })
  return code
}

/** The table of approximate distances: from p to a code. */
export function codeDistances(index: ReadIndex, p: Float32Array): (code: Uint8Array) => number {
  const { manifest, codebook } = index
  const { dimensions: D, metric, storage } = manifest
  const half = metric === 'cosine' ? 0.5 : 1
  if (storage === 'binary') {
    const asked = encode(index, p)
    const bits = (byte: number): number => (byte === 0 ? 0 : (byte & 1) + bits(byte >> 1))
    return (code) => code.reduce((sum, byte, i) => sum + bits(byte ^ asked[i]), 0)
  }
  const sum = (of: (d: number) => number): number => {
    let total = 0
    for (let d = 0; d < D; d++) total += of(d)
    return total
  }
  if (storage === 'sq8') {
    const [middle, step] = [codebook.subarray(0, D), codebook.subarray(D)]
    const near = metric === 'ip' ? -sum((d) => p[d] * middle[d]) : half * sum((d) => (p[d] - middle[d]) ** 2)
    return (code) => {
      const view = new DataView(code.buffer, code.byteOffset, code.length)
      const y = (d: number): number => step[d] * view.getInt8(d)
      if (metric === 'ip') return near - sum((d) => p[d] * y(d))
      return near - 2 * half * sum((d) => (p[d] - middle[d]) * y(d)) + view.getFloat32(code.length - 4, true)
    }
  }
  const subspace = subspaces(D).flatMap(([from, to], s) => Array.from({ length: to - from }, () => s))
  return (code) => {
    const value = (d: number): number =>
      storage === 'f16' ? widened(code[2 * d] + 256 * code[2 * d + 1]) : codebook[256 * d + code[subspace[d]]]
    if (metric === 'ip') return -sum((d) => p[d] * value(d))
    if (metric === 'cosine' && storage === 'f16') return 1 - sum((d) => p[d] * value(d))
    return half * sum((d) => (p[d] - value(d)) ** 2)
  }
}

function subspaces(D: number): [number, number][] {
  const S = Math.ceil(D / 4)
  return Array.from({ length: S }, (_, s) => [Math.floor((s * D) / S), Math.floor(((s + 1) * D) / S)])
}

function turn(x: Float32Array, codebook: Float32Array): Float32Array {
  const D = x.length
  let P = 1
  while (2 * P <= D) P *= 2
  const y = x.map((value, d) => value - codebook[d])
  for (let round = 0; round < 4; round++) {
    for (let d = 0; d < D; d++) y[d] *= codebook[(1 + round) * D + d]
    const first = round % 2 === 0 ? 0 : D - P
    for (let h = 1; h < P; h *= 2) {
      for (let place = 0; place < P; place++) {
        if ((place & h) !== 0) continue
        const [a, b] = [y[first + place], y[first + place + h]]
        y[first + place] = a + b
        y[first + place + h] = a - b
      }
    }
  }
  return y
}

function evenly(x: number): number {
  const below = Math.floor(x)
  if (x - below === 0.5) return below + (Math.abs(below) % 2)
  return Math.round(x)
}

function widened(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023]
  const size = exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25)
  return bits >= 32_768 ? -size : size
}

/** The nearest of all halves, by bisection: their bits ascend with them. Of two as near, the even one. */
function toHalf(x: number): number {
  let [low, high] = [0, 0x7bff]
  const size = Math.abs(x)
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (widened(middle) <= size) low = middle
    else high = middle
  }
  const [below, above] = [size - widened(low), widened(high) - size]
  const nearest = below < above || (below === above && low % 2 === 0) ? low : high
  return nearest + (x < 0 || Object.is(x, -0) ? 32_768 : 0)
}
