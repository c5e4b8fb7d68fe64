import { expect, it } from 'vitest'
import { lowRecallText } from '../../src/pipeline/report/low-recall.js'

it('lowRecallText is undefined from 0.95 on', () => {
  expect(lowRecallText({ recallAt10: 0.95, selfRecall: 0.95 })).toBeUndefined()
  expect(lowRecallText({ recallAt10: 1 })).toBeUndefined()
})

it('lowRecallText says what was measured, what that means and what to try', () => {
  expect(lowRecallText({ recallAt10: 0.8765, selfRecall: 1 })).toBe(
    'recall@10 is 0.8765: a search at ef 64 misses 1.2 of ten neighbours on average. ' +
      `Try quality 'high' or a larger m for the build, or a larger ef for searches ` +
      '(shardloom recall DIR --target-recall R chooses one)',
  )
  expect(lowRecallText({ recallAt10: 0.99, selfRecall: 0.94 })).toMatch(
    /^self-recall is 0.9400: a search at ef 64 for a vector misses it in 6.0% of cases\. Try /,
  )
  expect(lowRecallText({ recallAt10: 0.5, selfRecall: 0.5 })).toMatch(
    /^recall@10 is 0.5000: .*; self-recall is 0.5000:/,
  )
})
