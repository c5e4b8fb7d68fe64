/** The 64-bit number by which another program knows a node. */
import type { Id } from '../api/vectors.js'
import { storedIds, type StoredGraph } from './stored-graph.js'

/** 'ids': the label is the caller's id. 'nodes': the label is the node, and a file beside tells the id. */
export type LabelKind = 'ids' | 'nodes'

/** 'ids' when every id is an integer from 0 on: anything else is no label. */
export async function labelKindOf(graph: StoredGraph): Promise<LabelKind> {
  for await (const ids of storedIds(graph)) if (!ids.every(isLabel)) return 'nodes'
  return 'ids'
}

function isLabel(id: Id): boolean {
  return typeof id === 'number' && id >= 0
}

/** Labels by node. */
export class Labels {
  readonly #runs: AsyncGenerator<Id[], void, void> | undefined
  #run: readonly Id[] = []
  #at = 0
  #node = 0

  constructor(graph: StoredGraph, kind: LabelKind) {
    this.#runs = kind === 'ids' ? storedIds(graph) : undefined
  }

  /** The labels of the next `count` nodes, as numbers; all are safe integers. */
  async next(count: number): Promise<Float64Array> {
    const labels = new Float64Array(count)
    for (let i = 0; i < count; i++, this.#node++) {
      if (this.#runs === undefined) {
        labels[i] = this.#node
        continue
      }
      if (this.#at === this.#run.length) await this.#refill(this.#runs)
      labels[i] = Number(this.#run[this.#at++])
    }
    return labels
  }

  async close(): Promise<void> {
    await this.#runs?.return()
  }

  async #refill(runs: AsyncGenerator<Id[], void, void>): Promise<void> {
    const next = await runs.next()
    if (next.done === true) throw new RangeError('labels were read past the last node')
    this.#run = next.value
    this.#at = 0
  }
}

/** Writes a label as u64. Two words instead of a BigInt: nothing is allocated. */
export function writeLabel(into: Buffer, at: number, label: number): void {
  into.writeUInt32LE(label >>> 0, at)
  into.writeUInt32LE(Math.floor(label / 2 ** 32), at + 4)
}
