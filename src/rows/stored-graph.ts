import { join } from 'node:path'
import { firstUnsafeRow } from '../format/graph/check-links.js'
import { CorruptIndexError } from '../errors.js'
import { recordRuns } from '../format/segment/record-runs.js'
import { decodeIdBytes } from '../format/ids/encode-ids.js'
import type { Manifest } from '../format/generation/manifest.js'
import { readGeneration, readManifest } from '../format/generation/read-manifest.js'
import { checkSegmentHeaders } from '../format/segment/read-segment-header.js'
import { type SegmentFile, linksStrideBytes } from '../format/segment/segment-file.js'
import { SegmentReader } from '../format/segment/segment-reader.js'
import type { Id } from '../api/vectors.js'

/** A published generation, to be read front to back: rows and ids in the order of nodes. */
export interface StoredGraph {
  readonly manifest: Manifest
  readonly directory: string
}

/** The live generation, or a kept one. @throws PathError when it is not there; CorruptIndexError */
export async function openStoredGraph(indexDir: string, generation?: string): Promise<StoredGraph> {
  const { manifest, directory } =
    generation === undefined ? await readManifest(indexDir) : await readGeneration(indexDir, generation)
  await checkSegmentHeaders(directory, manifest)
  return { manifest, directory }
}

/** A reader of each segment of a kind, in the order of nodes, closed when the next one is asked for. */
export async function* segmentReaders(
  { manifest, directory }: StoredGraph,
  kind: SegmentFile['kind'],
): AsyncGenerator<SegmentReader, void, void> {
  for (const file of manifest.segments) {
    if (file.kind !== kind) continue
    const reader = await SegmentReader.open(join(directory, file.name), file)
    try {
      yield reader
    } finally {
      await reader.close()
    }
  }
}

/** Rows of one kind in the order of nodes, over all their segments. Compares every block with its checksum. */
export class NodeRows {
  readonly strideBytes: number
  readonly #readers: AsyncGenerator<SegmentReader, void, void>
  #reader: SegmentReader | undefined
  /** Data bytes read from the open segment. */
  #taken = 0
  #rows = new Uint8Array(0)

  constructor(graph: StoredGraph, kind: 'vectors' | 'links') {
    const { dimensions, m } = graph.manifest
    this.strideBytes = kind === 'vectors' ? 4 * dimensions : linksStrideBytes(m)
    this.#readers = segmentReaders(graph, kind)
  }

  /** The next `count` rows: a view that is valid until the next call, at the start of a 4-byte aligned buffer. */
  async next(count: number): Promise<Uint8Array> {
    const bytes = count * this.strideBytes
    if (this.#rows.length < bytes) this.#rows = new Uint8Array(bytes)
    for (let done = 0; done < bytes;) {
      const reader = await this.#current()
      const length = Math.min(bytes - done, reader.header.dataBytes - this.#taken)
      await reader.read(this.#taken, this.#rows.subarray(done, done + length))
      this.#taken += length
      done += length
    }
    return this.#rows.subarray(0, bytes)
  }

  async close(): Promise<void> {
    await this.#readers.return()
  }

  async #current(): Promise<SegmentReader> {
    if (this.#reader !== undefined && this.#taken < this.#reader.header.dataBytes) return this.#reader
    const next = await this.#readers.next()
    if (next.done === true) throw new RangeError('rows were read past the last node')
    this.#reader = next.value
    this.#taken = 0
    return next.value
  }
}

/** Rows of links, checked for programs that follow them unchecked: at most 2m links each, all to nodes. */
export class LinkRows {
  readonly strideBytes: number
  readonly #rows: NodeRows
  readonly #graph: StoredGraph
  #node = 0

  constructor(graph: StoredGraph) {
    this.#graph = graph
    this.#rows = new NodeRows(graph, 'links')
    this.strideBytes = this.#rows.strideBytes
  }

  /** As `NodeRows.next`. @throws CorruptIndexError for a row that leads out of the graph */
  async next(count: number): Promise<Uint8Array> {
    const rows = await this.#rows.next(count)
    const { m, count: nodes } = this.#graph.manifest
    const words = new Uint32Array(rows.buffer, rows.byteOffset, rows.length / 4)
    const unsafe = firstUnsafeRow(words, 2 * m, nodes)
    if (unsafe !== undefined) {
      throw new CorruptIndexError(
        this.#graph.directory,
        `the links of node ${this.#node + unsafe} lead out of the graph`,
      )
    }
    this.#node += count
    return rows
  }

  close(): Promise<void> {
    return this.#rows.close()
  }
}

/** Ids in the order of nodes, some thousands at a time. */
export async function* storedIds(graph: StoredGraph): AsyncGenerator<Id[], void, void> {
  for await (const reader of segmentReaders(graph, 'ids')) {
    for await (const run of recordRuns(reader)) {
      yield Array.from({ length: run.count }, (_, i) =>
        decodeIdBytes(run.bytesOf(i), `the id of node ${run.firstNode + i}`, reader.path),
      )
    }
  }
}
