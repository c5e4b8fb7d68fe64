import { CorruptIndexError } from '../../errors.js'
import { decodeId, decodeIdBytes, idsView, type IdsView } from '../../format/ids/encode-ids.js'
import type { SegmentBlocks } from '../../format/segment/segment-blocks.js'
import { bigintId } from '../../api/integer-id.js'
import type { GivenId, Id } from '../../api/vectors.js'
import { segmentOf } from '../core/segment-rows.js'

/** Single ids read from a segment before all of it is read. */
const READS_BEFORE_HOLDING = 32

/**
 * From a node to the caller's id. Stored ids stay encoded bytes: a string is made for a hit, not for a vector. The
 * first hits in a segment of ids are read one by one. A segment with more hits is held whole; the least recently used
 * ones are dropped when there is no room.
 */
export class NodeIds {
  readonly #segments: readonly SegmentBlocks[]
  readonly #cacheBytes: number
  /** By position in `#segments`, the most recently used last. */
  readonly #views = new Map<number, IdsView>()
  readonly #reads: Uint8Array
  readonly #asBigint: boolean
  #heldBytes = 0

  /** `segments` cover all nodes, in any order. `integers`: what ids that are integers are for the caller. */
  constructor(segments: readonly SegmentBlocks[], cacheBytes: number, integers: 'number' | 'bigint' = 'number') {
    this.#asBigint = integers === 'bigint'
    this.#segments = segments.toSorted((a, b) => a.header.firstNode - b.header.firstNode)
    this.#cacheBytes = cacheBytes
    this.#reads = new Uint8Array(segments.length)
  }

  /** The id for the caller. @throws CorruptIndexError */
  shownIdOf(node: number): GivenId {
    return this.shown(this.idOf(node))
  }

  /** A stored id as the caller wants it. */
  shown(id: Id): GivenId {
    return this.#asBigint ? bigintId(id) : id
  }

  /** The id as it is stored. @throws CorruptIndexError */
  idOf(node: number): Id {
    const at = segmentOf(this.#segments, node)
    const index = node - this.#segments[at].header.firstNode
    const view = this.#views.get(at)
    if (view !== undefined) {
      this.#used(at, view)
      return decodeId(view, index)
    }
    const { dataBytes } = this.#segments[at].header
    if (this.#reads[at] === READS_BEFORE_HOLDING && dataBytes <= this.#cacheBytes)
      return decodeId(this.#hold(at), index)
    if (this.#reads[at] < READS_BEFORE_HOLDING) this.#reads[at]++
    return readId(this.#segments[at], index)
  }

  /** Reads all segments that there is room for. */
  preload(): void {
    for (const [at, { header }] of this.#segments.entries()) {
      if (this.#heldBytes + header.dataBytes <= this.#cacheBytes) this.#hold(at)
    }
  }

  /** Moves a segment to the end. Skipped while the cache is half empty, when none is dropped. */
  #used(at: number, view: IdsView): void {
    if (this.#heldBytes <= this.#cacheBytes / 2) return
    this.#views.delete(at)
    this.#views.set(at, view)
  }

  #hold(at: number): IdsView {
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

/** One id by two small reads. @throws CorruptIndexError */
function readId(segment: SegmentBlocks, index: number): Id {
  const { path, header } = segment
  const blobAt = 4 * (header.count + 1)
  if (blobAt > header.dataBytes) {
    throw new CorruptIndexError(path, `${header.dataBytes} bytes cannot hold ${header.count} ids`)
  }
  const offsets = new Uint32Array(2)
  segment.read(4 * index, new Uint8Array(offsets.buffer))
  const [start, end] = offsets
  if (start >= end || blobAt + end > header.dataBytes) {
    throw new CorruptIndexError(path, `id ${index} lies at blob bytes ${start} to ${end}`)
  }
  const bytes = Buffer.alloc(end - start)
  segment.read(blobAt + start, bytes)
  return decodeIdBytes(bytes, `id ${index}`, path)
}
