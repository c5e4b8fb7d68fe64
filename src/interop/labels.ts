/** The 64-bit numbers by which other programs know nodes. */
import type { LabelKind } from '../api/interop.js'
import type { Id } from '../api/vectors.js'
import { storedIds, type StoredGraph } from '../rows/stored-graph.js'

/** 'ids' when every id is an integer of at least 0 and of one node, since nothing else can be a label. */
export async function labelKindOf(graph: StoredGraph): Promise<LabelKind> {
  const { count, distinctIds = count } = graph.manifest
  if (distinctIds < count) return 'nodes'
  for await (const ids of storedIds(graph)) if (!ids.every(isLabel)) return 'nodes'
  return 'ids'
}

function isLabel(id: Id): boolean {
  return typeof id === 'number' && id >= 0
}

/** Reads the labels of all nodes, in the order of nodes. */
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

/**
 * The id of a label (u64): a number up to 2^53 − 1, above that its digits as text, because a number would not be exact.
 */
export function readLabel(record: Buffer, at: number): Id {
  const high = record.readUInt32LE(at + 4)
  if (high < 2 ** 21) return high * 2 ** 32 + record.readUInt32LE(at)
  return record.readBigUInt64LE(at).toString()
}

/** Writes a label as u64. As two words, because a BigInt would be allocated. */
export function writeLabel(into: Buffer, at: number, label: number): void {
  into.writeUInt32LE(label >>> 0, at)
  into.writeUInt32LE(Math.floor(label / 2 ** 32), at + 4)
}
