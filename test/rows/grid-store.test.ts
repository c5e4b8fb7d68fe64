import fs, { closeSync, constants, ftruncateSync, openSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readGrid, writeGrid, type GridStore } from '../../src/rows/grid-store.js'
import { makeFolder, shared } from '../fixtures/tasks.js'

const openSyncOfNode = fs.openSync

function makeStores(count: number, rowBytes: number): { memory: GridStore; file: GridStore } {
  const path = join(makeFolder(), 'codes.bin')
  const handle = openSync(path, 'w')
  ftruncateSync(handle, count * rowBytes)
  closeSync(handle)
  return {
    memory: { kind: 'memory', rowBytes, bytes: shared(count * rowBytes) },
    file: { kind: 'file', rowBytes, path },
  }
}

/** Row `node`'s bytes follow from its number. */
function rowsOf(first: number, count: number, rowBytes: number): Uint8Array {
  return Uint8Array.from({ length: count * rowBytes }, (_, i) => {
    const node = first + Math.floor(i / rowBytes)
    return (node * 31 + (node >>> 8) * 7 + (i % rowBytes)) & 0xff
  })
}

describe('a code store', () => {
  it('gives the same rows from a file and from memory, for any ascending nodes', () => {
    const rowBytes = 512
    const count = 4000
    const { memory, file } = makeStores(count, rowBytes)
    for (const store of [memory, file]) {
      // In parts and out of order, as shards finish.
      writeGrid(store, 1500, rowsOf(1500, count - 1500, rowBytes))
      writeGrid(store, 0, rowsOf(0, 1500, rowBytes))
    }
    const sparse = fc.uniqueArray(fc.integer({ min: 0, max: count - 1 }), { maxLength: 200 })
    const dense = fc
      .tuple(
        fc.integer({ min: 0, max: count - 300 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 299 }), { maxLength: 250 }),
      )
      .map(([first, offsets]) => offsets.map((offset) => first + offset))
    fc.assert(
      fc.property(fc.oneof(sparse, dense), (chosen) => {
        const nodes = Uint32Array.from(chosen).sort()
        const expected = Buffer.concat(Array.from(nodes, (node) => rowsOf(node, 1, rowBytes)))
        for (const store of [memory, file]) {
          const into = new Uint8Array(nodes.length * rowBytes + 5).fill(0xee)
          readGrid(store, nodes, into)
          expect(Buffer.compare(into.subarray(0, expected.length), expected)).toBe(0)
          expect(Array.from(into.subarray(expected.length))).toEqual([0xee, 0xee, 0xee, 0xee, 0xee])
        }
      }),
      { numRuns: 60 },
    )
  })

  it('reads more than one read may hold', () => {
    const rowBytes = 4096
    const count = 1200
    const { file } = makeStores(count, rowBytes)
    writeGrid(file, 0, rowsOf(0, count, rowBytes))
    const into = new Uint8Array(count * rowBytes)
    readGrid(
      file,
      Uint32Array.from({ length: count }, (_, i) => i),
      into,
    )
    expect(Buffer.compare(into, rowsOf(0, count, rowBytes))).toBe(0)
  })

  it('says which file ends too early', () => {
    const { file } = makeStores(10, 64)
    expect(() => readGrid(file, Uint32Array.of(9, 10), new Uint8Array(128))).toThrow(/codes\.bin: ends at byte 640/)
  })

  it('writes to its file without opening it for reading', () => {
    const { file } = makeStores(10, 8)
    const flags: unknown[] = []
    fs.openSync = (path, flag, mode) => {
      flags.push(flag)
      return openSyncOfNode(path, flag, mode)
    }
    syncBuiltinESMExports()
    try {
      writeGrid(file, 3, rowsOf(3, 2, 8))
    } finally {
      fs.openSync = openSyncOfNode
      syncBuiltinESMExports()
    }
    expect(flags).toEqual([constants.O_WRONLY])
  })
})
