/** An index directory made of a test graph with the format's own writers, without any build code. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { idFingerprint } from '../../src/format/fingerprint.js'
import { nextGeneration } from '../../src/format/generations.js'
import { encodeIdTable } from '../../src/format/id-table.js'
import { encodeIds } from '../../src/format/ids.js'
import { publishGeneration } from '../../src/format/publish.js'
import { segmentFileName, type SegmentFile } from '../../src/format/segment-file.js'
import {
  idsHeader,
  idTableHeader,
  linksHeader,
  upperHeader,
  vectorsHeader,
  type SegmentHeader,
} from '../../src/format/segment-header.js'
import { encodeUpper } from '../../src/format/upper.js'
import { writeSegment } from '../../src/format/write-segment.js'
import type { BuildReport, Id } from '../../src/types.js'
import { bytesOf, linkRows, type TestGraph } from './random-graph.js'

/** `ids[node]` is a node's id; none: nodes are their own ids. Two segments of each numbered kind. */
export async function writeIndex(
  indexDir: string,
  graph: TestGraph,
  ids: readonly Id[] = Array.from({ length: graph.count }, (_, node) => node),
): Promise<{ directory: string }> {
  const { count, dims: dimensions, m, metric, upperLevels } = graph
  const generation = await nextGeneration(indexDir)
  const directory = join(indexDir, generation)
  await mkdir(directory, { recursive: true })
  const segments: SegmentFile[] = []
  const write = async (name: string, header: SegmentHeader, data: Uint8Array): Promise<void> => {
    segments.push(await writeSegment(join(directory, name), header, data))
  }
  const links = linkRows(graph)
  const words = 1 + 2 * m
  const half = Math.ceil(count / 2)
  const ranges = half === count ? [[0, count]] : [[0, half], [half, count]] // prettier-ignore
  for (const [number, [firstNode, end]] of ranges.entries()) {
    const range = { firstNode, count: end - firstNode, dimensions }
    const vectors = graph.vectors.subarray(firstNode * dimensions, end * dimensions)
    await write(segmentFileName('vectors', number), vectorsHeader(range), bytesOf(vectors))
    const rows = links.subarray(firstNode * words, end * words)
    await write(segmentFileName('links', number), linksHeader({ ...range, m }), bytesOf(rows))
    const data = encodeIds(ids.slice(firstNode, end))
    await write(segmentFileName('ids', number), idsHeader({ ...range, dataBytes: data.length }), data)
  }
  await write('id-table.seg', idTableHeader({ count, dimensions }), idTable(ids))
  const upper = encodeUpper(upperLevels)
  const upperCount = upperLevels[0]?.nodes.length ?? 0
  await write('upper.seg', upperHeader({ count: upperCount, dimensions, dataBytes: upper.length }), upper)
  await publishGeneration(indexDir, generation, {
    formatVersion: 1,
    generation,
    createdAt: '2026-01-31T12:00:00.000Z',
    metric,
    dimensions,
    storage: 'f32',
    count,
    m,
    seed: 1,
    engine: 'hnswlib-wasm',
    entryPoint: graph.entryPoint,
    levels: upperLevels.length,
    segments,
    report: report(graph, generation, indexDir),
  })
  return { directory }
}

function idTable(ids: readonly Id[]): Uint8Array {
  const print = new Uint32Array(3)
  const lanes = { high: new Uint32Array(ids.length), low: new Uint32Array(ids.length) }
  for (const [node, id] of ids.entries()) {
    idFingerprint(id, print, 0)
    lanes.high[node] = print[0]
    lanes.low[node] = print[1]
  }
  return encodeIdTable({ ...lanes, nodes: Uint32Array.from(ids.keys()) })
}

function report({ count, dims, metric, m }: TestGraph, generation: string, path: string): BuildReport {
  return {
    count,
    skipped: 0,
    skippedInvalid: 0,
    skippedDuplicates: 0,
    dimensions: dims,
    metric,
    engine: 'hnswlib-wasm',
    quality: 'balanced',
    storage: 'f32',
    m,
    seed: 1,
    threads: 1,
    memoryBytes: 1e9,
    shards: 1,
    splitShards: 0,
    seconds: 1,
    workers: { busySeconds: 2, tileSeconds: 1 },
    stages: [],
    peakRssBytes: 1e8,
    memory: { pressure: { elevated: 0, high: 0, critical: 0, ingestPauses: 0 }, timeline: [] },
    spilledBytes: 0,
    diskBytes: 1,
    reachable: count,
    repaired: 0,
    recallAt10: 1,
    averageDegree: 1,
    generation,
    path,
    events: [],
  }
}
