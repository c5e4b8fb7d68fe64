/** Arrow IPC for tests, by apache-arrow. */
import {
  Field,
  FixedSizeList,
  Float16,
  Float32,
  Float64,
  List,
  makeData,
  Table,
  tableToIPC,
  Vector,
  vectorFromArray,
  type Data,
  type DataType,
} from 'apache-arrow'
import { halfBits, type Rows } from './write-vector-files.js'

export interface ArrowOptions {
  readonly type?: 'f2' | 'f4' | 'f8'
  readonly list?: 'fixed' | 'list'
  readonly format?: 'file' | 'stream'
  readonly batchRows?: number
  /** Rows that are null. */
  readonly nulls?: readonly number[]
  /** Other columns, by name; the vectors are `embedding`. */
  readonly before?: Readonly<Record<string, readonly unknown[]>>
  readonly after?: Readonly<Record<string, readonly unknown[]>>
  readonly types?: Readonly<Record<string, DataType>>
}

function values(type: 'f2' | 'f4' | 'f8', rows: Rows): Data {
  const flat = rows.flat()
  if (type === 'f2') return makeData({ type: new Float16(), data: Uint16Array.from(flat, halfBits) })
  if (type === 'f4') return makeData({ type: new Float32(), data: Float32Array.from(flat) })
  return makeData({ type: new Float64(), data: Float64Array.from(flat) })
}

function lists(rows: Rows, firstRow: number, { type = 'f4', list = 'fixed', nulls = [] }: ArrowOptions): Data {
  const child = values(type, rows)
  const length = rows.length
  const nullHere = nulls.filter((row) => row >= firstRow && row < firstRow + length)
  const nullBitmap = new Uint8Array(Math.ceil(length / 8)).fill(255)
  for (const row of nullHere) nullBitmap[(row - firstRow) >> 3] &= ~(1 << ((row - firstRow) & 7))
  const validity = nullHere.length > 0 ? { nullCount: nullHere.length, nullBitmap } : { nullCount: 0 }
  const item = Field.new('item', child.type, true)
  if (list === 'fixed') {
    return makeData({ type: new FixedSizeList(rows[0].length, item), length, child, ...validity })
  }
  const valueOffsets = new Int32Array(length + 1)
  rows.forEach((row, i) => (valueOffsets[i + 1] = valueOffsets[i] + row.length))
  return makeData({ type: new List(item), length, valueOffsets, child, ...validity })
}

export function arrow(rows: Rows, options: ArrowOptions = {}): Buffer {
  const { batchRows = 1000, before = {}, after = {}, types = {}, format = 'file' } = options
  const chunks: Data[] = []
  for (let at = 0; at < rows.length; at += batchRows) chunks.push(lists(rows.slice(at, at + batchRows), at, options))
  const chunked = (name: string, data: readonly unknown[]): Vector => {
    const parts: Data[] = []
    for (let at = 0; at < data.length; at += batchRows) {
      const part = data.slice(at, at + batchRows)
      parts.push(...(name in types ? vectorFromArray(part, types[name]) : vectorFromArray(part)).data)
    }
    return new Vector(parts)
  }
  const others = (columns: Readonly<Record<string, readonly unknown[]>>): [string, Vector][] =>
    Object.entries(columns).map(([name, data]) => [name, chunked(name, data)])
  const columns = Object.fromEntries([...others(before), ['embedding', new Vector(chunks)], ...others(after)])
  return Buffer.from(tableToIPC(new Table(columns), format))
}
