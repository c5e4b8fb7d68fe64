/** Readers of exported files, written from the formats' descriptions without any code of src. */
import { readFileSync } from 'node:fs'

/** What a file says, in one shape for both formats. */
export interface ExportedGraph {
  readonly dims: number
  readonly m: number
  readonly entryNode: number
  readonly maxLevel: number
  /** Row-major. */
  readonly vectors: Float32Array
  readonly labels: readonly bigint[]
  /** `[node][level]`: the nodes it is linked to. */
  readonly links: readonly (readonly number[])[][]
}

/** Reads values one after the other, and wants the file to end with the last one. */
class Cursor {
  readonly #bytes: Buffer
  at = 0

  constructor(path: string) {
    this.#bytes = readFileSync(path)
  }

  u8 = (): number => this.#bytes.readUInt8(this.#step(1))
  u16 = (): number => this.#bytes.readUInt16LE(this.#step(2))
  i16 = (): number => this.#bytes.readInt16LE(this.#step(2))
  u32 = (): number => this.#bytes.readUInt32LE(this.#step(4))
  i32 = (): number => this.#bytes.readInt32LE(this.#step(4))
  u64 = (): bigint => this.#bytes.readBigUInt64LE(this.#step(8))
  size = (): number => Number(this.u64())
  f32 = (): number => this.#bytes.readFloatLE(this.#step(4))
  f64 = (): number => this.#bytes.readDoubleLE(this.#step(8))
  text = (length: number): string => {
    const from = this.#step(length)
    return this.#bytes.toString('latin1', from, from + length)
  }

  many<Value>(count: number, read: () => Value): Value[] {
    return Array.from({ length: count }, read)
  }

  /** A count in `read`, then room for `capacity` nodes; what is not used is 0. */
  row(read: () => number, capacity: number): number[] {
    const count = read()
    const nodes = this.many(capacity, this.u32)
    if (nodes.slice(count).some((node) => node !== 0)) throw new Error(`unused links before byte ${this.at} are not 0`)
    return nodes.slice(0, count)
  }

  end(): void {
    if (this.at !== this.#bytes.length) throw new Error(`read ${this.at} of ${this.#bytes.length} bytes`)
  }

  #step(bytes: number): number {
    this.at += bytes
    return this.at - bytes
  }
}

function expectEqual(what: string, got: unknown, expected: unknown): void {
  if (got !== expected) throw new Error(`${what} is ${String(got)}, expected ${String(expected)}`)
}

export function readHnswlib(path: string): ExportedGraph {
  const file = new Cursor(path)
  expectEqual('offsetLevel0', file.size(), 0)
  const [maxElements, count, recordBytes, labelOffset, dataOffset] = file.many(5, file.size)
  const [maxLevel, entryNode] = [file.i32(), file.u32()]
  const [maxM, maxM0, m] = file.many(3, file.size)
  expectEqual('max_elements', maxElements, count)
  expectEqual('maxM', maxM, m)
  expectEqual('maxM0', maxM0, 2 * m)
  expectEqual('mult', file.f64(), 1 / Math.log(m))
  expectEqual('efConstruction', file.size(), 200)
  expectEqual('offsetData', dataOffset, 4 * maxM0 + 4)
  const dims = (labelOffset - dataOffset) / 4
  expectEqual('size_data_per_element', recordBytes, labelOffset + 8)
  const links: number[][][] = []
  const vectors: number[] = []
  const labels: bigint[] = []
  // The count has 16 bits; flags and the byte behind them are part of its word here, and 0.
  for (let node = 0; node < count; node++) {
    links.push([file.row(file.u32, maxM0)])
    vectors.push(...file.many(dims, file.f32))
    labels.push(file.u64())
  }
  for (let node = 0; node < count; node++) {
    const levels = file.u32() / (4 * m + 4)
    for (let level = 1; level <= levels; level++) links[node].push(file.row(file.u32, m))
  }
  file.end()
  return { dims, m, entryNode, maxLevel, vectors: Float32Array.from(vectors), labels, links }
}

export function readUsearch(path: string): ExportedGraph & { readonly metric: string } {
  const file = new Cursor(path)
  const [count, vectorBytes] = [file.u32(), file.u32()]
  const dims = vectorBytes / 4
  const vectors = Float32Array.from(file.many(count * dims, file.f32))
  expectEqual('magic', file.text(7), 'usearch')
  expectEqual('major version', file.u16(), 2)
  file.many(2, file.u16)
  const metric = file.text(1)
  expectEqual('kinds of scalar, key and slot', file.many(3, file.u8).join(), '11,14,15')
  expectEqual('present', file.size(), count)
  expectEqual('deleted', file.size(), 0)
  expectEqual('dimensions', file.size(), dims)
  expectEqual('multi and what is reserved', file.many(23, file.u8).join(''), '0'.repeat(23))
  const [size, m, baseM, maxLevel, entryNode] = file.many(5, file.size)
  expectEqual('size', size, count)
  expectEqual('base connectivity', baseM, 2 * m)
  const levels = file.many(count, file.i16)
  const labels: bigint[] = []
  const links = levels.map((level, node) => {
    labels.push(file.u64())
    expectEqual(`level of node ${node}`, file.i16(), level)
    return [file.row(file.u32, baseM), ...file.many(level, () => file.row(file.u32, m))]
  })
  file.end()
  return { dims, m, entryNode, maxLevel, vectors, labels, links, metric }
}

export function readFvecs(path: string): { dims: number; vectors: Float32Array } {
  const bytes = readFileSync(path)
  const dims = bytes.readInt32LE(0)
  const rows = bytes.length / (4 + 4 * dims)
  const vectors = new Float32Array(rows * dims)
  for (let row = 0, at = 0; row < rows; row++, at += 4 + 4 * dims) {
    expectEqual(`dimensions of row ${row}`, bytes.readInt32LE(at), dims)
    for (let i = 0; i < dims; i++) vectors[row * dims + i] = bytes.readFloatLE(at + 4 + 4 * i)
  }
  return { dims, vectors }
}

export function readIdsFile(path: string): unknown[] {
  const lines = readFileSync(path, 'utf8').split('\n')
  expectEqual('what follows the last line feed', lines.pop(), '')
  return lines.map((line): unknown => JSON.parse(line))
}
