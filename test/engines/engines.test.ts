import { describe, expect, test } from 'vitest'
import { engineByName } from '../../src/engines/engine-by-name.js'
import { ENGINE_NAMES } from '../../src/engines/engine-names.js'
import { InvalidOptionError } from '../../src/errors.js'
import type { EngineName } from '../../src/api/report.js'
import { testConformance } from './conformance.js'

describe.each(ENGINE_NAMES)('engine %s', (name) => {
  const engine = engineByName(name)

  test('has the name of its entry in the table', () => {
    expect(engine.name).toBe(name)
  })

  testConformance(engine)
})

test.each(['faiss', 'toString', ''])('the name %j is no engine: the error lists the engines', (name) => {
  expect(() => engineByName(name as EngineName)).toThrow(InvalidOptionError)
  expect(() => engineByName(name as EngineName)).toThrow(/hnswlib-wasm/)
})
