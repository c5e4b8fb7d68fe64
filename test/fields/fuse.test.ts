import { describe, expect, it } from 'vitest'
import { fuseRanks } from '../../src/search/fields/fuse.js'

describe('fused ranks', () => {
  it('are sums of 1 / (60 + rank), best first', () => {
    expect(
      fuseRanks(
        [
          ['a', 'b', 'c'],
          ['c', 'd'],
        ],
        10,
      ),
    ).toEqual([
      { key: 'c', score: 1 / 63 + 1 / 61 },
      { key: 'a', score: 1 / 61 },
      { key: 'b', score: 1 / 62 },
      { key: 'd', score: 1 / 62 },
    ])
  })

  it('put first what an earlier ranking has first, where scores are equal', () => {
    expect(
      fuseRanks(
        [
          ['a', 'b'],
          ['b', 'a'],
        ],
        2,
      ).map(({ key }) => key),
    ).toEqual(['a', 'b'])
    expect(fuseRanks([['x'], ['y']], 2).map(({ key }) => key)).toEqual(['x', 'y'])
  })

  it('are at most k, and none of no rankings', () => {
    expect(fuseRanks([[1, 2, 3]], 2).map(({ key }) => key)).toEqual([1, 2])
    expect(fuseRanks([], 5)).toEqual([])
    expect(fuseRanks([[], []], 5)).toEqual([])
  })
})
