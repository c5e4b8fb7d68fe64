import { throwIfAborted, type Uses } from '../../pipeline/run/run.js'
import { NO_NODE } from '../../pipeline/layer/layer.js'
import type { UpperLevels } from '../../pipeline/link-upper-levels.js'
import { InsufficientMemoryError, InvalidFileError } from '../../errors.js'
import type { EntryPoint } from '../../format/generation/manifest.js'
import { encodeUpper } from '../../format/graph/upper.js'
import type { UpperLevel } from '../../format/graph/upper-level.js'
import type { HnswlibFile } from './hnswlib-file.js'
import type { Survey } from './survey.js'

/**
 * Reads the upper levels into memory, as every build has them: about 4(m + 3)/(m − 1) bytes for each node of the index.
 * @throws InvalidFileError for a link to an element that is not on the level; InsufficientMemoryError
 */
export async function readUpperLevels(
  run: Uses<'options' | 'plan'>,
  file: HnswlibFile,
  { nodeOfElement, levelCounts }: Survey,
): Promise<UpperLevels> {
  const { m, entryNode } = file.header
  checkFits(run, levelCounts, m)
  const levels = levelCounts.map((count) => ({
    nodes: new Uint32Array(count),
    down: new Uint32Array(count),
    links: new Uint32Array(count * (1 + m)),
  }))
  const filled = levels.map(() => 0)
  for await (const blocks of file.upperBlocks()) {
    throwIfAborted(run)
    for (const blocksOfElement of blocks) {
      const { element, level } = blocksOfElement
      const node = nodeOfElement[element]
      if (node === NO_NODE) continue
      for (let of = 1; of <= level; of++) {
        const { nodes, down, links } = levels[of - 1]
        const place = filled[of - 1]++
        nodes[place] = node
        down[place] = of === 1 ? node : filled[of - 2] - 1
        const block = blocksOfElement.block(of)
        const row = links.subarray(place * (1 + m), (place + 1) * (1 + m))
        row[0] = block.readUInt16LE(0)
        if (row[0] > m) {
          const reason = `element ${element} has ${row[0]} links on level ${of}, at most ${m} fit`
          throw new InvalidFileError(file.path, reason, { offset: blocksOfElement.offsetOf(of) })
        }
        for (let i = 1; i <= row[0]; i++) row[i] = block.readUInt32LE(4 * i)
      }
    }
  }
  levels.forEach((level, above) => turnIntoPlaces(file, level, above + 1, nodeOfElement))
  return { levels, bytes: encodeUpper(levels), entryPoint: entryPointOf(levels, nodeOfElement[entryNode]) }
}

/** In a sound file each level is a fraction of the one below; other files could have any number of entries. */
function checkFits({ plan }: Uses<'plan'>, levelCounts: readonly number[], m: number): void {
  const bytes = levelCounts.reduce((sum, count) => sum + 4 * count * (3 + m), 0)
  // The arrays, and their bytes as they are written.
  const neededBytes = 2 * bytes
  const availableBytes = Math.floor(plan.budgetBytes / 2)
  if (neededBytes <= availableBytes) return
  throw new InsufficientMemoryError({
    neededBytes,
    availableBytes,
    stage: 'upper levels',
    help: `the levels above 0 have ${levelCounts.join(', ')} nodes; raise memory (--memory)`,
  })
}

/** Replaces link targets, which are elements, with their places in the level's arrays. */
function turnIntoPlaces(
  file: HnswlibFile,
  { nodes, links }: UpperLevel,
  level: number,
  nodeOfElement: Uint32Array,
): void {
  const rowWords = links.length / nodes.length
  for (let place = 0; place < nodes.length; place++) {
    const row = links.subarray(place * rowWords, (place + 1) * rowWords)
    let kept = 0
    for (let i = 1; i <= row[0]; i++) {
      const element = row[i]
      const target = element < nodeOfElement.length ? nodeOfElement[element] : undefined
      if (target === NO_NODE) continue
      const found = target === undefined ? -1 : placeOf(nodes, target)
      if (found < 0) {
        const reason = `an element is linked to ${element} on level ${level}, but that element is not on this level`
        throw new InvalidFileError(file.path, reason)
      }
      if (found !== place && !row.subarray(1, 1 + kept).includes(found)) row[++kept] = found
    }
    row.fill(0, 1 + kept)
    row[0] = kept
  }
}

/** Index of `node` in the ascending `nodes`; −1 when it is not there. */
function placeOf(nodes: Uint32Array, node: number): number {
  let low = 0
  let high = nodes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (nodes[middle] < node) low = middle + 1
    else high = middle
  }
  return nodes[low] === node ? low : -1
}

/** The file's entry point; when it is deleted, the first node of the top level. */
function entryPointOf(levels: readonly UpperLevel[], node: number): EntryPoint {
  const top = levels.at(-1)
  if (top === undefined) {
    const own = node === NO_NODE ? 0 : node
    return { node: own, level: 0, index: own }
  }
  const index = node === NO_NODE ? 0 : Math.max(0, placeOf(top.nodes, node))
  return { node: top.nodes[index], level: levels.length, index }
}
