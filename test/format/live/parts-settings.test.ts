import { expect, it } from 'vitest'
import { CorruptIndexError } from '../../../src/errors.js'
import { encodeParts, parseParts, type Parts } from '../../../src/format/live/parts-file.js'

const settings = { dimensions: 3, metric: 'l2', m: 16, quantization: 'f32', quality: 'auto', seed: 1 } as const
const parts: Parts = {
  settings,
  base: '',
  coveredSequence: 0,
  firstLog: 1,
  nextNumber: 3,
  parts: [],
  dead: { name: 'dead-000002', bytes: 0, crc32: 0 },
}

it.each([{}, { repeatedIds: true } as const])('PARTS keep whether an id may have several vectors: %o', (ids) => {
  const given = { ...parts, settings: { ...settings, ...ids } }
  expect(parseParts(encodeParts(given), 'PARTS')).toEqual(given)
})

it.each([false, 1, 'true'])('PARTS with repeatedIds %j are refused', (repeatedIds) => {
  const given = { ...parts, settings: { ...settings, repeatedIds: repeatedIds as true } }
  expect(() => parseParts(encodeParts(given), 'PARTS')).toThrow(CorruptIndexError)
})
