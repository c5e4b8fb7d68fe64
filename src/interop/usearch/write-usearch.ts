/**
 * usearch's file, version 2: the vectors, then the levels, then the links of each node. Little-endian, packed.
 *
 * u32 rows, u32 bytes of a vector; the vectors; 64 bytes about the index; 40 bytes about the graph; an i16 level for
 * each node; for each node u64 key, i16 level, u32 link count and room for 2m, for each upper level u32 link count and
 * room for m.
 */
import type { Metric } from '../../api/vectors.js'
import type { ExportPass } from '../export-pass.js'
import { Labels, writeLabel } from '../labels.js'
import { LinkRows, NodeRows } from '../../rows/stored-graph.js'
import { UpperRowWriter, UpperRuns, type UpperRun } from '../upper-runs.js'

const SHAPE_BYTES = 8
const INDEX_HEADER_BYTES = 64
const GRAPH_HEADER_BYTES = 40
/** Bytes before the links of a node: its key and its level. */
const NODE_HEAD_BYTES = 10

const MAGIC = 'usearch'
/** The version that writes the same bytes; a reader requires its own major version. */
const VERSION = [2, 25, 3]
const METRIC_CODES: Readonly<Record<Metric, string>> = { l2: 'e', cosine: 'c', ip: 'i' }
const SCALAR_F32 = 11
const KEY_U64 = 14
const SLOT_U32 = 15

export async function writeUsearch(pass: ExportPass): Promise<void> {
  const { manifest } = pass.graph
  const { count, dimensions, m } = manifest
  const nodeBytes = NODE_HEAD_BYTES + 4 * (1 + 2 * m)
  const head = SHAPE_BYTES + INDEX_HEADER_BYTES + GRAPH_HEADER_BYTES
  const upperEntries = await withUpperRuns(pass, async (upper) => upper.entryCount)
  pass.totalBytes = head + count * (4 * dimensions + 2 + nodeBytes) + 4 * (1 + m) * upperEntries
  const shape = await pass.out.claim(SHAPE_BYTES)
  shape.writeUInt32LE(count, 0)
  shape.writeUInt32LE(4 * dimensions, 4)
  await writeVectors(pass)
  await writeIndexHeader(pass)
  await writeGraphHeader(pass)
  await withUpperRuns(pass, (upper) => writeLevels(pass, upper))
  await withUpperRuns(pass, (upper) => writeNodes(pass, upper))
}

/** Opens the upper levels at their beginning, for one pass over them. */
async function withUpperRuns<Result>(
  { graph }: ExportPass,
  body: (upper: UpperRuns) => Promise<Result>,
): Promise<Result> {
  const upper = await UpperRuns.open(graph)
  try {
    return await body(upper)
  } finally {
    await upper.close()
  }
}

async function writeVectors(pass: ExportPass): Promise<void> {
  const rows = new NodeRows(pass.graph, 'vectors')
  try {
    for (const run of pass.runs(rows.strideBytes)) await pass.out.write(await rows.next(run))
  } finally {
    await rows.close()
  }
}

async function writeIndexHeader({ graph, out }: ExportPass): Promise<void> {
  const { metric, count, dimensions } = graph.manifest
  const header = (await out.claim(INDEX_HEADER_BYTES)).fill(0)
  header.write(MAGIC, 0, 'latin1')
  VERSION.forEach((part, i) => header.writeUInt16LE(part, 7 + 2 * i))
  header.write(METRIC_CODES[metric], 13, 'latin1')
  header[14] = SCALAR_F32
  header[15] = KEY_U64
  header[16] = SLOT_U32
  header.writeBigUInt64LE(BigInt(count), 17)
  // Zero: [25] u64 number of deleted vectors, [41] u8 whether a key may have more than one vector.
  header.writeBigUInt64LE(BigInt(dimensions), 33)
}

async function writeGraphHeader({ graph, out }: ExportPass): Promise<void> {
  const { count, m, levels, entryPoint } = graph.manifest
  const header = await out.claim(GRAPH_HEADER_BYTES)
  const fields = [count, m, 2 * m, levels, entryPoint.node]
  fields.forEach((field, i) => header.writeBigUInt64LE(BigInt(field), 8 * i))
}

async function writeLevels(pass: ExportPass, upper: UpperRuns): Promise<void> {
  for (const run of pass.runs(2, upper.runNodes)) {
    const { levels } = await upper.next(run)
    const bytes = await pass.out.claim(2 * run)
    levels.forEach((level, i) => bytes.writeInt16LE(level, 2 * i))
  }
}

async function writeNodes(pass: ExportPass, upper: UpperRuns): Promise<void> {
  const linkRows = new LinkRows(pass.graph)
  const labelRows = new Labels(pass.graph, pass.labels)
  try {
    for (const run of pass.runs(NODE_HEAD_BYTES + linkRows.strideBytes, upper.runNodes)) {
      const links = await linkRows.next(run)
      const labels = await labelRows.next(run)
      await writeRun(pass, { links, labels, upper: await upper.next(run), linkBytes: linkRows.strideBytes })
    }
  } finally {
    await linkRows.close()
    await labelRows.close()
  }
}

async function writeRun(
  { out, graph }: ExportPass,
  run: { links: Uint8Array; labels: Float64Array; upper: UpperRun; linkBytes: number },
): Promise<void> {
  const { links, labels, linkBytes } = run
  const { levels } = run.upper
  const { m } = graph.manifest
  let byteCount = levels.length * (NODE_HEAD_BYTES + linkBytes)
  for (const level of levels) byteCount += 4 * level * (1 + m)
  const bytes = await out.claim(byteCount)
  const rows = new UpperRowWriter(run.upper, m)
  let at = 0
  for (const [i, level] of levels.entries()) {
    writeLabel(bytes, at, labels[i])
    bytes.writeInt16LE(level, at + 8)
    at += NODE_HEAD_BYTES
    bytes.set(links.subarray(i * linkBytes, (i + 1) * linkBytes), at)
    at = rows.write(level, bytes, at + linkBytes)
  }
}
