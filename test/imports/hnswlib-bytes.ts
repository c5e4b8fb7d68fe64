/** An hnswlib file in memory, field by field: sound ones are made by an export, then changed. */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { exportIndex } from '../../src/exports/export-index.js'
import type { Id } from '../../src/types.js'
import type { TestGraph } from '../search/random-graph.js'
import { writeIndex } from '../search/write-index.js'

const HEADER_BYTES = 96

export class HnswlibBytes {
  readonly bytes: Buffer

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  get count(): number {
    return Number(this.bytes.readBigUInt64LE(16))
  }

  get recordBytes(): number {
    return Number(this.bytes.readBigUInt64LE(24))
  }

  record(element: number): Buffer {
    const at = HEADER_BYTES + element * this.recordBytes
    return this.bytes.subarray(at, at + this.recordBytes)
  }

  delete(...elements: number[]): this {
    for (const element of elements) this.record(element)[2] |= 1
    return this
  }

  setLabel(element: number, label: bigint): this {
    this.record(element).writeBigUInt64LE(label, this.recordBytes - 8)
    return this
  }

  /** Offset of the u32 before the upper links of an element. */
  upperAt(element: number): number {
    let at = HEADER_BYTES + this.count * this.recordBytes
    for (let i = 0; i < element; i++) at += 4 + this.bytes.readUInt32LE(at)
    return at
  }
}

/** What a graph looks like as an hnswlib file. */
export async function hnswlibBytes(folder: string, graph: TestGraph, ids?: readonly Id[]): Promise<HnswlibBytes> {
  const [index, out] = [`${folder}/made.index`, `${folder}/made.bin`]
  try {
    await writeIndex(index, graph, ids)
    await exportIndex(index, { format: 'hnswlib', out, overwrite: true })
    return new HnswlibBytes(await readFile(out))
  } finally {
    for (const path of [index, out, `${out}.ids.jsonl`]) await rm(path, { recursive: true, force: true })
  }
}

export async function saved(path: string, bytes: Uint8Array | HnswlibBytes): Promise<string> {
  await writeFile(path, bytes instanceof HnswlibBytes ? bytes.bytes : bytes)
  return path
}

/** The same graph with a ring through all nodes, so that every one is in reach. */
export function withRing(graph: TestGraph): TestGraph {
  const { count, m, neighbours } = graph
  const ringed = neighbours.map((row, node) => {
    const next = (node + 1) % count
    return [next, ...row.filter((other) => other !== next)].filter((other) => other !== node).slice(0, 2 * m)
  })
  return { ...graph, neighbours: ringed }
}
