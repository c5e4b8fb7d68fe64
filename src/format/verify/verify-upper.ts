/** Verifies the upper levels run by run, with the nodes of two adjacent levels in memory, 4 bytes each. */
import { CorruptIndexError } from '../../errors.js'
import { linkProblems, nodeProblems } from '../graph/check-upper.js'
import type { Manifest } from '../generation/manifest.js'
import type { SegmentReader } from '../segment/segment-reader.js'
import type { VerifyFindings } from './verify-report.js'

const RUN_WORDS = 2 ** 20

/** Adds problems to `findings`. The bytes are verified already. */
export async function verifyUpper(reader: SegmentReader, manifest: Manifest, findings: VerifyFindings): Promise<void> {
  const { m, count, entryPoint } = manifest
  const { path, header } = reader
  const add = (reason: string): void => findings.add({ path, reason })
  const levels = await levelCounts(reader, manifest)
  if (header.count !== (levels[0] ?? 0)) add(`level 1 has ${levels[0] ?? 0} nodes, the header says ${header.count}`)
  let below: Uint32Array | undefined
  let word = 1
  for (const [i, entries] of levels.entries()) {
    const level = i + 1
    const nodes = await readWords(reader, word + 1, entries)
    const downAt = word + 1 + entries
    for (let first = 0; first < entries; first += RUN_WORDS) {
      const down = await readWords(reader, downAt + first, Math.min(RUN_WORDS, entries - first))
      for (const problem of nodeProblems({ level, nodes, down, first, below, count })) add(problem)
    }
    const linksAt = downAt + entries
    const runRows = Math.max(1, Math.floor(RUN_WORDS / (1 + m)))
    for (let first = 0; first < entries; first += runRows) {
      const rows = Math.min(runRows, entries - first)
      const links = await readWords(reader, linksAt + first * (1 + m), rows * (1 + m))
      for (const problem of linkProblems(links, { level, first, entries, m })) add(problem)
      for (let row = 0; row < links.length; row += 1 + m) findings.linksChecked += Math.min(links[row], m)
    }
    if (level === levels.length && nodes[entryPoint.index] !== entryPoint.node) {
      add(`the entry point is node ${entryPoint.node}, entry ${entryPoint.index} of the top level is another`)
    }
    below = nodes
    word = linksAt + entries * (1 + m)
  }
}

/** Nodes on each level. @throws CorruptIndexError when the levels do not fill the data exactly */
async function levelCounts(reader: SegmentReader, { levels, m }: Manifest): Promise<number[]> {
  const { path, header } = reader
  const totalWords = header.dataBytes / 4
  const [levelCount] = header.dataBytes < 4 ? [undefined] : await readWords(reader, 0, 1)
  if (levelCount !== levels) {
    throw new CorruptIndexError(path, `${levelCount ?? 'no'} levels, the manifest says ${levels}`)
  }
  const counts: number[] = []
  let word = 1
  for (let level = 1; level <= levels; level++) {
    const [entries] = word < totalWords ? await readWords(reader, word, 1) : [0]
    word += 1 + entries * (3 + m)
    if (entries === 0 || word > totalWords) {
      throw new CorruptIndexError(path, `level ${level} with ${entries} nodes does not fit the file`)
    }
    counts.push(entries)
  }
  if (word !== totalWords) {
    throw new CorruptIndexError(path, `${header.dataBytes - 4 * word} bytes follow the last level`)
  }
  return counts
}

async function readWords(reader: SegmentReader, firstWord: number, count: number): Promise<Uint32Array> {
  const words = new Uint32Array(count)
  await reader.read(4 * firstWord, new Uint8Array(words.buffer))
  return words
}
