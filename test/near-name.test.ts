import { describe, expect, it } from 'vitest'
import { nearestName } from '../src/wording/near-name.js'

const NAMES = ['metric', 'memory', 'minRecall', 'keepGenerations', 'm', 'seed']

describe('nearestName', () => {
  it.each([
    ['metrics', 'metric'],
    ['memroy', 'memory'],
    ['minrecall', 'minRecall'],
    ['keepGeneration', 'keepGenerations'],
    ['sed', 'seed'],
    ['Seed', 'seed'],
    ['generations', 'keepGenerations'],
    ['n', 'm'],
  ])('knows what %s was meant to be', (wrong, meant) => {
    expect(nearestName(wrong, NAMES)).toBe(meant)
  })

  it.each(['colour', 'quality', 'generation count', ''])('leaves %j alone', (wrong) => {
    expect(nearestName(wrong, NAMES.slice(0, 4))).toBeUndefined()
  })
})
