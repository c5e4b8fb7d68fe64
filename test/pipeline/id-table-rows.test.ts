import fc from 'fast-check'
import { expect, it } from 'vitest'
import { encodeIdTable } from '../../src/format/ids/id-table.js'
import { IdTableRows } from '../../src/pipeline/segments/id-table-rows.js'

it('has the rows of a sorted table, for hashes of any number of nodes', () => {
  const hashes = fc.array(fc.record({ high: fc.nat(3), low: fc.nat(3), times: fc.oneof(fc.nat(4), fc.nat(9000)) }), {
    maxLength: 6,
  })
  fc.assert(
    fc.property(hashes, fc.nat(2 ** 31), (groups, mix) => {
      const rows = groups.flatMap(({ high, low, times }) => Array.from({ length: times }, () => ({ high, low })))
      rows.sort((a, b) => a.high - b.high || a.low - b.low)
      // Different nodes in no order: a factor without a divisor in common with 2^32 turns them around.
      const nodes = Uint32Array.from(rows, (_, at) => Math.imul(at + 1, 2 * mix + 1))
      const pieces: Uint8Array[] = []
      const table = new IdTableRows((bytes) => pieces.push(bytes.slice()))
      for (const [at, { high, low }] of rows.entries()) table.add(high, low, nodes[at])
      table.end()
      const columns = {
        high: Uint32Array.from(rows, ({ high }) => high),
        low: Uint32Array.from(rows, ({ low }) => low),
      }
      expect(Buffer.concat(pieces).equals(encodeIdTable({ ...columns, nodes }))).toBe(true)
    }),
    { numRuns: 40 },
  )
})
