/**
 * From a node to the caller's id. Stored ids stay encoded bytes: a string is made for a hit, not for a vector. A segment of
 * ids is read when the first hit in it is found; the ones used longest ago go when there is no room for all.
 */
import { decodeId, idsView, type IdsView } from '../format/ids.js'
import type { SegmentBlocks } from '../format/segment-blocks.js'
import { indexHolding } from './segment-rows.js'

export class NodeIds {
  readonly #segments: readonly SegmentBlocks[]
  readonly #cacheBytes: number
  /** By position in `#segments`, the one used last at the end. */
  readonly #views = new Map<number, IdsView>()
  #heldBytes = 0

  /** `segments` cover all nodes, in any order. At least one is held, whatever its size. */
  constructor(segments: readonly SegmentBlocks[], cacheBytes: number) {
    this.#segments = segments.toSorted((a, b) => a.header.firstNode - b.header.firstNode)
    this.#cacheBytes = cacheBytes
  }

  /** @throws CorruptIndexError */
  idOf(node: number): ReturnType<typeof decodeId> {
    const at = indexHolding(this.#segments, node)
    return decodeId(this.#view(at), node - this.#segments[at].header.firstNode)
  }

  /** Reads the segments that there is room for. */
  preload(): void {
    for (const [at, { header }] of this.#segments.entries()) {
      if (this.#heldBytes + header.dataBytes <= this.#cacheBytes) this.#view(at)
    }
  }

  #view(at: number): IdsView {
    const held = this.#views.get(at)
    if (held !== undefined) {
      // Of two or more, the one used last goes to the end.
      if (this.#heldBytes > this.#cacheBytes / 2) {
        this.#views.delete(at)
        this.#views.set(at, held)
      }
      return held
    }
    const { header, path } = this.#segments[at]
    const data = new Uint8Array(header.dataBytes)
    this.#segments[at].read(0, data)
    const view = idsView(data, header.count, path)
    for (const [oldest, { data: old }] of this.#views) {
      if (this.#heldBytes + data.length <= this.#cacheBytes) break
      this.#views.delete(oldest)
      this.#heldBytes -= old.length
    }
    this.#views.set(at, view)
    this.#heldBytes += data.length
    return view
  }
}
