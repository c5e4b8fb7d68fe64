/**
 * Reads a `hnswlib::HierarchicalNSW<float>` from the module's heap. Pure functions on u32 words.
 *
 * The package cannot export a graph (its file system is not exported), but the object's fields are where the 32-bit ABI
 * puts them. The offsets hold for hnswlib-wasm 0.8.2 exactly. Every field with a known value is checked, so another
 * build of the package fails here instead of giving a wrong graph.
 */

import { EngineError } from '../../errors.js'
import { ENGINE } from './load-hnswlib.js'

/** Word offsets of the fields in the object. */
export const WORD = {
  vtable: 0,
  maxElements: 1,
  count: 2,
  recordBytes: 3,
  upperLinkBytes: 4,
  deletedCount: 5,
  m: 6,
  maxM: 7,
  maxM0: 8,
  efConstruction: 9,
  level0LinkBytes: 31,
  dataOffset: 32,
  level0Offset: 33,
  labelOffset: 34,
  level0Address: 35,
  dataBytes: 40,
} as const

/** Embind points to a wrapper object. This word of it holds the address of the index object. */
const WRAPPER_INDEX_WORD = 1

export interface ExpectedIndex {
  readonly members: number
  /** Members inserted so far. */
  readonly count: number
  readonly dimensions: number
  readonly m: number
  readonly efConstruction: number
}

/** A level-0 record is `[u16 count][u16 flags][2m x u32 link][dimensions x f32][u32 label]`. */
export interface Level0 {
  /** Word index in the heap of the first record. */
  readonly firstWord: number
  readonly recordWords: number
  /** Word offset of the vector in a record. */
  readonly vectorWord: number
  /** Word offset of the label in a record. */
  readonly labelWord: number
  /** The most links of a record: 2m. */
  readonly maxLinks: number
}

/** Bytes of one level-0 record. */
export function recordBytes(dimensions: number, m: number): number {
  return 4 + 4 * 2 * m + 4 * dimensions + 4
}

/** Address of the index object behind embind's wrapper. @throws EngineError when it does not point into the heap. */
export function indexAddress(heap: Uint32Array, wrapperAddress: number): number {
  const address = heap[wrapperAddress / 4 + WRAPPER_INDEX_WORD]
  if (!isInHeap(heap, address, 4 * (WORD.dataBytes + 1))) {
    throw new EngineError(ENGINE, `the wrapper's index pointer is ${address}, outside the heap; ${VERSION_HINT}`)
  }
  return address
}

/** Checks the object's words and finds level 0. @throws EngineError naming the first word that differs. */
export function readLevel0(heap: Uint32Array, address: number, expected: ExpectedIndex): Level0 {
  const { members, count, dimensions, m, efConstruction } = expected
  const linkBytes = 4 + 4 * 2 * m
  const known: readonly (readonly [keyof typeof WORD, number])[] = [
    ['maxElements', members],
    ['count', count],
    ['recordBytes', recordBytes(dimensions, m)],
    ['upperLinkBytes', 4 + 4 * m],
    ['deletedCount', 0],
    ['m', m],
    ['maxM', m],
    ['maxM0', 2 * m],
    // hnswlib raises efConstruction to M.
    ['efConstruction', Math.max(efConstruction, m)],
    ['level0LinkBytes', linkBytes],
    ['dataOffset', linkBytes],
    ['level0Offset', 0],
    ['labelOffset', linkBytes + 4 * dimensions],
    ['dataBytes', 4 * dimensions],
  ]
  for (const [field, value] of known) {
    const got = heap[address / 4 + WORD[field]]
    if (got !== value) {
      throw new EngineError(
        ENGINE,
        `word ${WORD[field]} of the index (${field}) is ${got}, expected ${value}; ${VERSION_HINT}`,
      )
    }
  }
  const level0Address = heap[address / 4 + WORD.level0Address]
  if (!isInHeap(heap, level0Address, members * recordBytes(dimensions, m))) {
    throw new EngineError(ENGINE, `level 0 of the index is at ${level0Address}, outside the heap; ${VERSION_HINT}`)
  }
  return {
    firstWord: level0Address / 4,
    recordWords: recordBytes(dimensions, m) / 4,
    vectorWord: linkBytes / 4,
    labelWord: linkBytes / 4 + dimensions,
    maxLinks: 2 * m,
  }
}

const VERSION_HINT = 'the engine needs hnswlib-wasm 0.8.2 exactly'

function isInHeap(heap: Uint32Array, address: number, bytes: number): boolean {
  return Number.isInteger(address) && address > 0 && address % 4 === 0 && address + bytes <= heap.byteLength
}
