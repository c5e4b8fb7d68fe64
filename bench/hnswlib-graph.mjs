// hnswlib's own file (hnswlib 0.8, 64-bit), loaded into Shardloom's searcher: the same graph in both.
import { readFileSync } from 'node:fs'
import { Kernel } from '../dist/kernel/kernel.js'
import { SearchCore } from '../dist/src/search/core/search-core.js'

const HEADER_BYTES = 96

/** A SearchCore over the vectors and links of the index that hnswlib saved at `path`. */
export function loadHnswlibGraph(path, metric) {
  const file = readFileSync(path)
  const size = (at) => Number(file.readBigUInt64LE(at))
  const count = size(16)
  const recordBytes = size(24)
  const labelOffset = size(32)
  const dataOffset = size(40)
  const m = size(72)
  const dims = (labelOffset - dataOffset) / 4
  const upperLevels = readUpperLevels(file, HEADER_BYTES + count * recordBytes, count, file.readInt32LE(48), m)
  const entryNode = file.readUInt32LE(52)
  const top = upperLevels.at(-1)
  const index = top === undefined ? entryNode : top.nodes.indexOf(entryNode)
  const core = new SearchCore(Kernel.create(), {
    metric,
    dimensions: dims,
    count,
    m,
    entryPoint: { index },
    upperLevels,
  })
  for (let node = 0; node < count; node++) {
    const record = HEADER_BYTES + node * recordBytes
    // Labels are given in insertion order below, so a node is its label.
    if (size(record + labelOffset) !== node)
      throw new Error(`${path}: node ${node} has label ${size(record + labelOffset)}`)
    core.vectorsAt(node, 1).set(file.subarray(record + dataOffset, record + labelOffset))
    const linkCount = file.readUInt16LE(record)
    const row = core.linksAt(node, 1)
    new DataView(row.buffer, row.byteOffset).setUint32(0, linkCount, true)
    row.set(file.subarray(record + 4, record + 4 + 4 * linkCount), 4)
  }
  return core
}

function readUpperLevels(file, start, count, maxLevel, m) {
  const levels = Array.from({ length: maxLevel }, () => ({ nodes: [], rows: [] }))
  const blockBytes = 4 + 4 * m
  let at = start
  for (let node = 0; node < count; node++) {
    const bytes = file.readUInt32LE(at)
    at += 4
    for (let level = 0; level < bytes / blockBytes; level++, at += blockBytes) {
      const links = Array.from({ length: file.readUInt16LE(at) }, (_, i) => file.readUInt32LE(at + 4 + 4 * i))
      levels[level].nodes.push(node)
      levels[level].rows.push(links)
    }
  }
  const indexes = levels.map(({ nodes }) => new Map(nodes.map((node, i) => [node, i])))
  return levels.map(({ nodes, rows }, level) => {
    const links = new Uint32Array(nodes.length * (1 + m))
    rows.forEach((row, i) => links.set([row.length, ...row.map((node) => indexes[level].get(node))], i * (1 + m)))
    const down = level === 0 ? nodes : nodes.map((node) => indexes[level - 1].get(node))
    return { nodes: Uint32Array.from(nodes), down: Uint32Array.from(down), links }
  })
}
