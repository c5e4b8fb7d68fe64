/**
 * Opens the live generation of an index directory: manifest, headers, then every byte of vectors, links, upper levels
 * and ids into memory, each block against its checksum.
 */
import { join } from 'node:path'
import { Kernel } from '../../kernel/kernel.js'
import { CorruptIndexError, InsufficientMemoryError } from '../errors.js'
import { firstUnsafeRow, linkRowProblem } from '../format/check-links.js'
import { readCurrent } from '../format/current.js'
import { idsView } from '../format/ids.js'
import type { Manifest } from '../format/manifest.js'
import { readManifest } from '../format/read-manifest.js'
import { readSegmentData } from '../format/read-segment-data.js'
import { checkSegmentHeaders, readSegmentHeader } from '../format/read-segment-header.js'
import type { SegmentFile } from '../format/segment-file.js'
import { linksStrideBytes, SEGMENT_HEADER_BYTES, type SegmentKind } from '../format/segment-header.js'
import { decodeUpper, type UpperLevel } from '../format/upper.js'
import { Index } from './index-reader.js'
import { storedIds, type NodeIds } from './node-ids.js'
import { SearchCore } from './search-core.js'

/** A WebAssembly memory ends at 4 GiB; the margin is the module's own data and growth steps. */
const KERNEL_LIMIT_BYTES = 2 ** 32 - 64 * 2 ** 20

/**
 * Checks whatever a search follows, besides the checksums: no file, however made, leads it out of its own memory.
 * @throws PathError when there is no index at `path`; CorruptIndexError when a byte is not what it was, or is what no
 * build writes; InsufficientMemoryError when the index is larger than one WebAssembly memory.
 */
export async function openIndex(path: string): Promise<Index> {
  for (;;) {
    const before = await readCurrent(path)
    try {
      return await openLive(path)
    } catch (error) {
      // A publish may have deleted the generation that was being read; then there is a newer one.
      const now = error instanceof CorruptIndexError ? await readCurrent(path) : before
      if (now?.generation === before?.generation && now?.manifestCrc32 === before?.manifestCrc32) throw error
    }
  }
}

async function openLive(path: string): Promise<Index> {
  const { manifest, directory } = await readManifest(path)
  await checkSegmentHeaders(directory, manifest)
  const files = new SegmentFiles(directory, manifest)
  const core = await loadCore(manifest, files)
  const ids = await loadIds(files)
  const { generation, count, dimensions, metric, m, segments } = manifest
  const bytes = segments.reduce((sum, file) => sum + file.bytes, 0)
  return new Index({ path, generation, count, dimensions, metric, m, bytes }, { core, ids })
}

async function loadCore(manifest: Manifest, files: SegmentFiles): Promise<SearchCore> {
  const { metric, dimensions: dims, count, m, entryPoint } = manifest
  const upperFiles = files.of('upper')
  const upperBytes = upperFiles.reduce((sum, file) => sum + file.bytes, 0)
  checkFitsOneMemory({ count, dims, m, upperBytes })
  const upperLevels = []
  for (const file of upperFiles)
    upperLevels.push(...decodeUpper(await files.read(file), { count, m, path: files.pathOf(file) }))
  for (const file of upperFiles) checkEntryPoint(upperLevels, manifest, files.pathOf(file))
  const core = new SearchCore(Kernel.create(), { metric, dims, count, m, entryPoint, upperLevels })
  for (const file of files.of('vectors')) await files.readInto(file, core.vectorsAt(file.firstNode, file.count))
  for (const file of files.of('links')) {
    await files.readInto(file, core.linksAt(file.firstNode, file.count))
    checkLinks(core.linksAt(file.firstNode, file.count), file, manifest, files.pathOf(file))
  }
  return core
}

/** @throws CorruptIndexError unless the manifest's entry point is there: a search begins with it unasked. */
function checkEntryPoint(upperLevels: readonly UpperLevel[], { levels, entryPoint }: Manifest, path: string): void {
  if (upperLevels.length !== levels) {
    throw new CorruptIndexError(path, `${upperLevels.length} levels, the manifest says ${levels}`)
  }
  const { node, index } = entryPoint
  const top = upperLevels.at(-1)
  if (top === undefined || top.nodes[index] === node) return
  throw new CorruptIndexError(path, `the entry point is node ${node}, entry ${index} of the top level is another`)
}

/** @throws CorruptIndexError for the first row that leads out of the graph. */
function checkLinks(rows: Uint8Array, { firstNode }: SegmentFile, { count, m }: Manifest, path: string): void {
  const words = new Uint32Array(rows.buffer, rows.byteOffset, rows.length / 4)
  const row = firstUnsafeRow(words, 2 * m, count)
  if (row === undefined) return
  const node = firstNode + row
  const offset = row * linksStrideBytes(m)
  const problem = linkRowProblem(words, offset / 4, { maxLinks: 2 * m, targetCount: count, self: node })
  throw new CorruptIndexError(path, `node ${node}: ${problem}`, { offset: SEGMENT_HEADER_BYTES + offset })
}

/** @throws InsufficientMemoryError when a core of this shape is more than one WebAssembly memory holds. */
export function checkFitsOneMemory(shape: { count: number; dims: number; m: number; upperBytes: number }): void {
  const neededBytes = SearchCore.requiredBytes(shape)
  if (neededBytes <= KERNEL_LIMIT_BYTES) return
  throw new InsufficientMemoryError({
    neededBytes,
    availableBytes: KERNEL_LIMIT_BYTES,
    stage: 'open',
    help:
      'an index is read into one WebAssembly memory for now, and reading it page by page is not there yet; ' +
      'split the vectors over several indexes',
  })
}

async function loadIds(files: SegmentFiles): Promise<NodeIds> {
  const ranges = []
  for (const file of files.of('ids')) {
    const { firstNode, count } = file
    ranges.push({ firstNode, ids: idsView(await files.read(file), count, files.pathOf(file)) })
  }
  return storedIds(ranges)
}

/** The generation's files, by kind. */
class SegmentFiles {
  readonly #directory: string
  readonly #segments: readonly SegmentFile[]

  constructor(directory: string, { segments }: Manifest) {
    this.#directory = directory
    this.#segments = segments
  }

  of(kind: SegmentKind): SegmentFile[] {
    return this.#segments.filter((file) => file.kind === kind)
  }

  pathOf(file: SegmentFile): string {
    return join(this.#directory, file.name)
  }

  /** All data of a small segment. */
  async read(file: SegmentFile): Promise<Uint8Array> {
    const { dataBytes } = await readSegmentHeader(this.pathOf(file), file)
    const data = new Uint8Array(dataBytes)
    await this.readInto(file, data)
    return data
  }

  async readInto(file: SegmentFile, target: Uint8Array): Promise<void> {
    await readSegmentData(this.pathOf(file), file, (offset, length) => target.subarray(offset, offset + length))
  }
}
