import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { FieldRows } from '../../src/fields/field-rows.js'
import { FieldCodec } from '../../src/fields/field-codec.js'
import { publishGeneration } from '../../src/format/generation/publish-generation.js'
import { fieldsHeader } from '../../src/format/segment/segment-header.js'
import { writeSegment } from '../../src/format/segment/write-segment.js'
import { verifyIndex } from '../../src/format/verify/verify-index.js'
import { temporaryFolder, writeTinyGeneration } from '../fixtures/index-files.js'

const folder = temporaryFolder()
const FIELDS = [{ name: 'note', type: 'stored' }] as const

/** The data of a fields segment. */
function dataOf({ bytes, offsets }: FieldRows): Uint8Array {
  return Buffer.concat([new Uint8Array(offsets.buffer, offsets.byteOffset, offsets.byteLength), bytes])
}

/** Publishes the tiny index with a stored field, whose data of nodes 25 to 49 are changed under correct checksums. */
async function problemsOf(name: string, change: (data: Uint8Array) => Uint8Array | void): Promise<object[]> {
  const { indexDir, directory, manifest } = await writeTinyGeneration(folder.path(name))
  const segments = [...manifest.segments]
  for (const number of [0, 1]) {
    const rows = Array.from({ length: 25 }, (_, i) => ({ note: { node: 25 * number + i } }))
    const sound = dataOf(new FieldCodec(FIELDS).encodeRecords(rows, 0))
    const data = number === 0 ? sound : (change(sound) ?? sound)
    const header = fieldsHeader({ firstNode: 25 * number, count: 25, dimensions: 3, dataBytes: data.length })
    segments.push(await writeSegment(join(directory, `fields-00${number}.seg`), header, data))
  }
  await publishGeneration(indexDir, manifest.generation, { ...manifest, fields: FIELDS, segments })
  return [...(await verifyIndex(indexDir)).problems]
}

/** Where the first row begins: 26 offsets lie before it. */
const ROWS_AT = 4 * 26

describe('verifyIndex', () => {
  it('finds no problem in sound fields', async () => {
    expect(await problemsOf('sound', () => undefined)).toEqual([])
  })

  it.each<readonly [string, (data: Uint8Array) => Uint8Array | void, string]>([
    ['a bit of no field', (data) => void (data[ROWS_AT] = 3), 'the fields of node 25: '],
    ['a value that ends behind its row', (data) => void (data[ROWS_AT + 1] = 200), 'the fields of node 25: '],
    ['text that is no UTF-8', (data) => void (data[ROWS_AT + 6] = 0xff), 'the fields of node 25: '],
    ['text that is no JSON', (data) => void (data[ROWS_AT + 5] = 0x7d), 'the stored value of "note" is not JSON'],
    ['a row that begins elsewhere', (data) => void (data[0] = 1), 'field row 0 begins at blob byte 1'],
    ['a row without bytes', (data) => void data.copyWithin(4, 0, 4), 'field row 0 lies at blob bytes 0 to 0'],
    ['a row behind the end', (data) => void (data[4 * 25 + 2] = 9), 'field row 24 lies at blob bytes'],
    ['bytes of no row', (data) => Buffer.concat([data, Buffer.alloc(5)]), 'the field rows end at blob byte'],
    ['fewer bytes than offsets', (data) => data.subarray(0, 50), '50 bytes cannot hold 25 field rows'],
  ])('finds %s', async (name, change, reason) => {
    const problems = await problemsOf(name, change)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toMatchObject({
      path: expect.stringContaining('fields-001.seg') as string,
      reason: expect.stringContaining(reason) as string,
    })
  })
})
