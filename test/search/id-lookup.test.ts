import { readFile, writeFile } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it, vi } from 'vitest'
import type { Id } from '../../src/api/vectors.js'
import { CorruptIndexError } from '../../src/errors.js'
import type { Manifest } from '../../src/format/generation/manifest.js'
import { encodeIds } from '../../src/format/ids/encode-ids.js'
import { idFingerprint } from '../../src/format/ids/id-fingerprint.js'
import { encodeIdTable } from '../../src/format/ids/id-table.js'
import { SegmentBlocks } from '../../src/format/segment/segment-blocks.js'
import {
  idsHeader,
  idTableHeader,
  SEGMENT_BLOCK_BYTES,
  SEGMENT_HEADER_BYTES,
} from '../../src/format/segment/segment-header.js'
import { writeSegment } from '../../src/format/segment/write-segment.js'
import { IdFilter } from '../../src/search/ids/id-filter.js'
import { IdLookup } from '../../src/search/ids/id-lookup.js'
import { NodeIds } from '../../src/search/ids/node-ids.js'
import { temporaryFolder } from '../fixtures/index-files.js'
import { runs } from '../whole.js'

const folder = temporaryFolder()
const manifest = { dimensions: 1, m: 4, quantization: 'f32' } as Manifest

interface Opened {
  readonly lookup: IdLookup
  readonly table: SegmentBlocks
  readonly close: () => void
}

/** `ids[node]` is a node's id. `named` are the nodes that the rows of the table name, by node; `damage` a data byte. */
async function open(ids: readonly Id[], named = [...ids.keys()], damage?: number): Promise<Opened> {
  const count = ids.length
  const [high, low] = [new Uint32Array(count), new Uint32Array(count)]
  const print = new Uint32Array(3)
  for (const [node, id] of ids.entries()) {
    idFingerprint(id, print, 0)
    ;[high[node], low[node]] = print
  }
  const rows = encodeIdTable({ high, low, nodes: Uint32Array.from(named) })
  const tablePath = folder.path('id-table.seg')
  const tableFile = await writeSegment(tablePath, idTableHeader({ count, dimensions: 1 }), rows)
  if (damage !== undefined) {
    const bytes = await readFile(tablePath)
    bytes[SEGMENT_HEADER_BYTES + damage] ^= 1
    await writeFile(tablePath, bytes)
  }
  const data = encodeIds(ids)
  const idsPath = folder.path('ids-000.seg')
  const header = idsHeader({ firstNode: 0, count, dimensions: 1, dataBytes: data.length })
  const table = SegmentBlocks.open(tablePath, tableFile, manifest)
  const stored = SegmentBlocks.open(idsPath, await writeSegment(idsPath, header, data), manifest)
  const lookup = new IdLookup(table, new NodeIds([stored], 1e6))
  return {
    lookup,
    table,
    close: () => {
      table.close()
      stored.close()
    },
  }
}

const id = fc.oneof(fc.integer({ min: -20, max: 20 }), fc.string({ unit: 'grapheme', maxLength: 3 }))

describe('IdLookup', () => {
  it('finds all nodes of an id, and the first of them, before and after it has a filter', async () => {
    const lists = fc.array(id, { minLength: 1, maxLength: 300 })
    await fc.assert(
      fc.asyncProperty(lists, fc.array(id, { maxLength: 20 }), async (ids, others) => {
        const { lookup, close } = await open(ids)
        try {
          for (const filtered of [false, true]) {
            if (filtered) await lookup.loadFilter()
            for (const one of [...ids, ...others]) {
              const expected = ids.flatMap((other, node) => (other === one ? [node] : []))
              expect(lookup.nodesOf(one)).toEqual(expected)
              expect(lookup.nodeOf(one)).toBe(expected[0])
            }
          }
        } finally {
          close()
        }
      }),
      { numRuns: runs(60) },
    )
  })

  it('passes over rows whose node has another id', async () => {
    // As if the hashes of a, b and c were one.
    const { lookup, close } = await open(['a', 'a', 'a', 'b', 'c'], [0, 3, 4, 1, 2])
    expect(lookup.nodesOf('a')).toEqual([0])
    expect(lookup.nodesOf('b')).toEqual([])
    close()
  })

  it('says which row names a node that is not there', async () => {
    const { lookup, close } = await open(['a', 'b'], [0, 2])
    expect(() => lookup.nodeOf('b')).toThrow(CorruptIndexError)
    expect(() => lookup.nodeOf('b')).toThrow('names node 2 of 2')
    close()
  })

  it('reads nothing for nearly all ids that it has not, once it has a filter', async () => {
    const { lookup, table, close } = await open(Array.from({ length: 5000 }, (_, node) => node))
    await lookup.loadFilter()
    const read = vi.spyOn(table, 'read')
    await lookup.loadFilter()
    for (let other = 5000; other < 7000; other++) expect(lookup.nodeOf(other)).toBe(undefined)
    expect(read.mock.calls.length).toBeLessThan(100)
    close()
  })

  it('finds damage when it looks an id up there, and when it makes its filter', async () => {
    const ids = Array.from({ length: 5000 }, (_, node) => node)
    for (const damage of [0, SEGMENT_BLOCK_BYTES + 5, 16 * 5000 - 1]) {
      const { lookup, close } = await open(ids, ids, damage)
      expect(() => ids.map((one) => lookup.nodeOf(one))).toThrow(CorruptIndexError)
      await expect(lookup.loadFilter()).rejects.toThrow(CorruptIndexError)
      close()
    }
  })
})

describe('IdFilter', () => {
  const word = fc.integer({ min: 0, max: 2 ** 32 - 1 })

  async function filterOf(hashes: readonly (readonly [number, number])[]): Promise<IdFilter> {
    const bytes = new Uint8Array(Uint32Array.from(hashes.flatMap(([high, low]) => [high, low, 0, 0])).buffer)
    const read = (offset: number, into: Uint8Array): void => into.set(bytes.subarray(offset, offset + into.length))
    return IdFilter.of({ header: { count: hashes.length }, read })
  }

  it('lets every hash of its table pass', async () => {
    const edges = fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1)
    const hash = fc.tuple(fc.oneof(word, edges), fc.oneof(word, edges))
    await fc.assert(
      fc.asyncProperty(fc.array(hash, { maxLength: 500 }), async (hashes) => {
        const filter = await filterOf(hashes)
        expect(hashes.filter(([high, low]) => !filter.mayHave(high, low))).toEqual([])
      }),
      { numRuns: runs(100) },
    )
  })

  it('lets less than one in a hundred others pass, in 12 bits an id', async () => {
    const hashOf = (one: Id): [number, number] => {
      const print = new Uint32Array(3)
      idFingerprint(one, print, 0)
      return [print[0], print[1]]
    }
    const hashes = Array.from({ length: 100_000 }, (_, one) => hashOf(one))
    const filter = await filterOf(hashes)
    expect(IdFilter.bytesFor(100_000)).toBeCloseTo(150_000, -3)
    expect(hashes.every(([high, low]) => filter.mayHave(high, low))).toBe(true)
    let passed = 0
    for (let other = 0; other < 100_000; other++) if (filter.mayHave(...hashOf(`other ${other}`))) passed++
    expect(passed).toBeLessThan(1000)
    expect(passed).toBeGreaterThan(0)
  })

  it('of no ids lets none pass', async () => {
    const filter = await filterOf([])
    expect(filter.mayHave(1, 2)).toBe(false)
  })
})
