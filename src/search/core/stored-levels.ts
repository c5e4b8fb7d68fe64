/** The upper levels of a generation, read into the memory in which they are searched. */
import { CorruptIndexError } from '../../errors.js'
import type { SafetyChecks } from '../../format/graph/check-upper.js'
import type { Manifest } from '../../format/generation/manifest.js'
import type { SegmentBlocks } from '../../format/segment/segment-blocks.js'
import { decodeUpper } from '../../format/graph/upper.js'
import type { UpperLevel } from '../../format/graph/upper-level.js'

/** Upper levels that are read at the first search. */
export interface StoredLevels {
  readonly bytes: number
  /** Reads them into kernel memory of that many bytes; the result is views of it. */
  read(into: Uint8Array): readonly UpperLevel[]
}

/** `checks` work on the memory that the levels are read into. */
export function storedLevels(files: readonly SegmentBlocks[], manifest: Manifest, checks: SafetyChecks): StoredLevels {
  const { count, m } = manifest
  return {
    bytes: files.reduce((sum, { header }) => sum + header.dataBytes, 0),
    read(into) {
      const levels: UpperLevel[] = []
      let at = 0
      for (const file of files) {
        const { path, header } = file
        const data = into.subarray(at, (at += header.dataBytes))
        file.read(0, data)
        levels.push(...decodeUpper(data, { count, m, path }, checks))
        checkEntryPoint(levels, manifest, path)
      }
      return levels
    },
  }
}

/**
 * @throws CorruptIndexError unless the manifest's entry point is at its place: a search starts there without a check
 */
function checkEntryPoint(upperLevels: readonly UpperLevel[], { levels, entryPoint }: Manifest, path: string): void {
  if (upperLevels.length !== levels) {
    throw new CorruptIndexError(path, `${upperLevels.length} levels, the manifest says ${levels}`)
  }
  const { node, index } = entryPoint
  const top = upperLevels.at(-1)
  if (top === undefined || top.nodes[index] === node) return
  throw new CorruptIndexError(path, `the entry point is node ${node}, entry ${index} of the top level is another`)
}
