import { CorruptIndexError } from '../errors.js'
import { linkRowProblem } from '../format/graph/check-links.js'
import type { SegmentReader } from '../format/segment/segment-reader.js'
import { segmentReaders, type StoredGraph } from '../rows/stored-graph.js'

/** Bytes of the links of a run on one level. */
const RUN_BYTES = 2 ** 20
const MAX_RUN_NODES = 16_384

/** The upper levels of consecutive nodes. */
export interface UpperRun {
  /** Level of node `first + i`. */
  readonly levels: Uint8Array
  /** `[0]` is level 1. One row for each node of the run that is on the level: a count, then room for m nodes. */
  readonly rows: readonly Uint32Array[]
}

interface Level {
  readonly nodes: Uint32Array
  /** First word of the level's links in the data. */
  readonly linksAt: number
  /** Entries read so far. */
  taken: number
}

/**
 * The upper levels by node instead of by level, for files that keep all links of a node together. Holds the nodes of
 * all levels, 4 bytes each (in all 4/(m − 1) bytes for a node of the index), and one run of links.
 */
export class UpperRuns {
  /** The most nodes that `next` takes. */
  readonly runNodes: number
  readonly #graph: StoredGraph
  readonly #readers: AsyncGenerator<SegmentReader, void, void>
  readonly #reader: SegmentReader
  readonly #levels: Level[]
  #node = 0

  private constructor(
    graph: StoredGraph,
    readers: AsyncGenerator<SegmentReader, void, void>,
    reader: SegmentReader,
    levels: Level[],
  ) {
    this.#graph = graph
    this.#readers = readers
    this.#reader = reader
    this.#levels = levels
    const rowBytes = 4 * (1 + graph.manifest.m)
    this.runNodes = Math.max(1, Math.min(MAX_RUN_NODES, Math.floor(RUN_BYTES / rowBytes)))
  }

  /** @throws CorruptIndexError when the levels do not agree with the manifest */
  static async open(graph: StoredGraph): Promise<UpperRuns> {
    const readers = segmentReaders(graph, 'upper')
    try {
      const next = await readers.next()
      // `readManifest` has checked that there is exactly one.
      if (next.done === true) throw new RangeError('there is no upper.seg')
      return new UpperRuns(graph, readers, next.value, await readLevels(next.value, graph))
    } catch (error) {
      await readers.return()
      throw error
    }
  }

  /** Entries of all levels, which is the number of rows of all runs together. */
  get entryCount(): number {
    return this.#levels.reduce((sum, { nodes }) => sum + nodes.length, 0)
  }

  /** The next `count` nodes, at most `runNodes`. @throws CorruptIndexError */
  async next(count: number): Promise<UpperRun> {
    const first = this.#node
    const levels = new Uint8Array(count)
    const rows: Uint32Array[] = []
    for (const [below, level] of this.#levels.entries()) {
      const from = level.taken
      while (level.taken < level.nodes.length && level.nodes[level.taken] < first + count) {
        const node = level.nodes[level.taken++]
        if (levels[node - first] !== below) {
          throw this.#corrupt(`node ${node} is on level ${below + 1} but not on level ${below}`)
        }
        levels[node - first] = below + 1
      }
      rows.push(await this.#readLinks(level, below + 1, from, level.taken))
    }
    this.#node += count
    return { levels, rows }
  }

  async close(): Promise<void> {
    await this.#readers.return()
  }

  /** Rows of the entries `from` to `to`, with targets as nodes, not as places in the level. */
  async #readLinks({ nodes, linksAt }: Level, level: number, from: number, to: number): Promise<Uint32Array> {
    const { m } = this.#graph.manifest
    const rowWords = 1 + m
    const words = await readWords(this.#reader, linksAt + from * rowWords, (to - from) * rowWords)
    for (let at = 0, self = from; at < words.length; at += rowWords, self++) {
      const problem = linkRowProblem(words, at, { maxLinks: m, targetCount: nodes.length, self })
      if (problem !== undefined) throw this.#corrupt(`level ${level}, entry ${self}: ${problem}`)
      for (let i = at + 1; i <= at + words[at]; i++) words[i] = nodes[words[i]]
    }
    return words
  }

  #corrupt(reason: string): CorruptIndexError {
    return new CorruptIndexError(this.#reader.path, reason)
  }
}

/** Copies the upper rows of a run, node after node and for each node level after level. */
export class UpperRowWriter {
  readonly #rows: UpperRun['rows']
  readonly #rowWords: number
  /** Words copied so far, by level. */
  readonly #taken: number[]

  constructor({ rows }: UpperRun, m: number) {
    this.#rows = rows
    this.#rowWords = 1 + m
    this.#taken = rows.map(() => 0)
  }

  /** Writes the rows of the next node, which is on `level`, at byte `at`. Returns where they end. */
  write(level: number, into: Uint8Array, at: number): number {
    let end = at
    for (let below = 0; below < level; below++) {
      const first = this.#taken[below]
      const row = this.#rows[below].subarray(first, first + this.#rowWords)
      into.set(new Uint8Array(row.buffer, row.byteOffset, row.byteLength), end)
      this.#taken[below] = first + this.#rowWords
      end += row.byteLength
    }
    return end
  }
}

async function readLevels(reader: SegmentReader, { manifest }: StoredGraph): Promise<Level[]> {
  const { m, count, entryPoint } = manifest
  const totalWords = reader.header.dataBytes / 4
  const corrupt = (reason: string): CorruptIndexError => new CorruptIndexError(reader.path, `upper levels: ${reason}`)
  const found = totalWords >= 1 ? (await readWords(reader, 0, 1))[0] : 0
  if (found !== manifest.levels) throw corrupt(`there are ${found}, but the manifest has ${manifest.levels}`)
  const levels: Level[] = []
  let word = 1
  for (let level = 1; level <= manifest.levels; level++) {
    const [entries] = word < totalWords ? await readWords(reader, word, 1) : [0]
    const end = word + 1 + entries * (3 + m)
    if (entries === 0 || end > totalWords) throw corrupt(`level ${level} with ${entries} nodes does not fit the file`)
    const nodes = await readWords(reader, word + 1, entries)
    for (let i = 0; i < entries; i++) {
      if (nodes[i] >= count || (i > 0 && nodes[i] <= nodes[i - 1])) {
        throw corrupt(`level ${level}, entry ${i}: node ${nodes[i]} is out of order or out of range`)
      }
    }
    levels.push({ nodes, linksAt: word + 1 + 2 * entries, taken: 0 })
    word = end
  }
  if (word !== totalWords) throw corrupt(`${reader.header.dataBytes - 4 * word} bytes follow the last level`)
  const top = levels.at(-1)
  if (top !== undefined && top.nodes[entryPoint.index] !== entryPoint.node) {
    throw corrupt(`entry ${entryPoint.index} of the top level is not the entry point, node ${entryPoint.node}`)
  }
  return levels
}

async function readWords(reader: SegmentReader, firstWord: number, count: number): Promise<Uint32Array> {
  const words = new Uint32Array(count)
  await reader.read(4 * firstWord, new Uint8Array(words.buffer))
  return words
}
