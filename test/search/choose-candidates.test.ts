import { expect, it } from 'vitest'
import { chooseCandidates } from '../../src/search/max-sim/choose-candidates.js'

const PROPOSALS = [
  [
    { id: 'a', distance: 1 },
    { id: 'b', distance: 2 },
    { id: 'c', distance: 5 },
  ],
  [
    { id: 'b', distance: 3 },
    { id: 'd', distance: 3 },
    { id: 'e', distance: 4 },
  ],
]

it('takes all that were proposed when there is room', () => {
  expect(chooseCandidates(PROPOSALS, 5).sort()).toEqual(['a', 'b', 'c', 'd', 'e'])
})

it('takes those with the least sum, where what is not known is as far as the last proposal', () => {
  // a 1 + 4, b 2 + 3, c 5 + 4, d 5 + 3, e 5 + 4.
  expect(chooseCandidates(PROPOSALS, 3)).toEqual(['a', 'b', 'd'])
})

it('takes the lesser id of equal ones', () => {
  expect(chooseCandidates(PROPOSALS, 4)).toEqual(['a', 'b', 'd', 'c'])
})
