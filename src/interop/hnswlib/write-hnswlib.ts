import { InvalidOptionError } from '../../errors.js'
import type { ExportPass } from '../export-pass.js'
import { encodeHnswlibHeader, hnswlibSizes, HNSWLIB_HEADER_BYTES } from './hnswlib-header.js'
import { Labels, writeLabel } from '../labels.js'
import { LinkRows, NodeRows } from '../../rows/stored-graph.js'
import { UpperRowWriter, UpperRuns } from '../upper-runs.js'

/** Links are counted in 16 bits. */
const MAX_LINKS = 2 ** 16 - 1
/** hnswlib's default. It uses the number only when vectors are added to the file. */
const EF_CONSTRUCTION = 200

/** hnswlib's file: one pass over links, vectors and labels together, then one over the upper levels. */
export async function writeHnswlib(pass: ExportPass): Promise<void> {
  const { manifest } = pass.graph
  const { count, dimensions, m, entryPoint } = manifest
  if (2 * m > MAX_LINKS) {
    throw new InvalidOptionError(`the index has m ${m}; hnswlib files hold at most ${MAX_LINKS} links of a node`)
  }
  const upper = await UpperRuns.open(pass.graph)
  try {
    const { recordBytes, levelBytes } = hnswlibSizes(manifest)
    pass.totalBytes = HNSWLIB_HEADER_BYTES + count * (recordBytes + 4) + upper.entryCount * levelBytes
    await pass.out.write(
      encodeHnswlibHeader({
        count,
        dimensions,
        m,
        maxLevel: manifest.levels,
        entryNode: entryPoint.node,
        efConstruction: EF_CONSTRUCTION,
      }),
    )
    await writeRecords(pass)
    await writeUpperLinks(pass, upper)
  } finally {
    await upper.close()
  }
}

async function writeRecords(pass: ExportPass): Promise<void> {
  const { recordBytes, dataOffset, labelOffset } = hnswlibSizes(pass.graph.manifest)
  const linkRows = new LinkRows(pass.graph)
  const vectorRows = new NodeRows(pass.graph, 'vectors')
  const labelRows = new Labels(pass.graph, pass.labels)
  try {
    for (const run of pass.runs(recordBytes)) {
      const links = await linkRows.next(run)
      const vectors = await vectorRows.next(run)
      const labels = await labelRows.next(run)
      const records = await pass.out.claim(run * recordBytes)
      for (let i = 0; i < run; i++) {
        const at = i * recordBytes
        // A stored row of links is a 32-bit count and 2m nodes: with a count below 2^16 it is hnswlib's row without
        // flags.
        records.set(links.subarray(i * linkRows.strideBytes, (i + 1) * linkRows.strideBytes), at)
        records.set(vectors.subarray(i * vectorRows.strideBytes, (i + 1) * vectorRows.strideBytes), at + dataOffset)
        writeLabel(records, at + labelOffset, labels[i])
      }
    }
  } finally {
    await linkRows.close()
    await vectorRows.close()
    await labelRows.close()
  }
}

async function writeUpperLinks(pass: ExportPass, upper: UpperRuns): Promise<void> {
  const { m } = pass.graph.manifest
  const rowWords = 1 + m
  for (const run of pass.runs(4, upper.runNodes)) {
    const upperRun = await upper.next(run)
    const { levels } = upperRun
    const rows = new UpperRowWriter(upperRun, m)
    let wordCount = run
    for (const level of levels) wordCount += level * rowWords
    const bytes = await pass.out.claim(4 * wordCount)
    let at = 0
    for (const level of levels) {
      at = rows.write(level, bytes, bytes.writeUInt32LE(4 * level * rowWords, at))
    }
  }
}
