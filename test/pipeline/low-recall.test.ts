import { expect, it } from 'vitest'
import { lowRecallText } from '../../src/pipeline/report/low-recall.js'

const BALANCED = { quality: 'balanced', trialRecall: undefined } as const

it('lowRecallText is undefined from 0.95 on', () => {
  expect(lowRecallText({ recallAt10: 0.95, selfRecall: 0.95 }, BALANCED)).toBeUndefined()
  expect(lowRecallText({ recallAt10: 1 }, BALANCED)).toBeUndefined()
})

it('lowRecallText says what was measured, what that means and what to try', () => {
  expect(lowRecallText({ recallAt10: 0.8765, selfRecall: 1 }, BALANCED)).toBe(
    'recall@10 is 0.8765: a search at ef 64 misses 1.2 of ten neighbours on average. ' +
      `Try quality 'high' or a larger m for the build, or a larger ef for searches ` +
      '(shardloom recall DIR --target-recall R chooses one)',
  )
  expect(lowRecallText({ recallAt10: 0.99, selfRecall: 0.94 }, BALANCED)).toMatch(
    /^self-recall is 0.9400: a search at ef 64 for a vector misses it in 6.0% of cases\. Try /,
  )
  expect(lowRecallText({ recallAt10: 0.5, selfRecall: 0.5 }, BALANCED)).toMatch(
    /^recall@10 is 0.5000: .*; self-recall is 0.5000:/,
  )
})

it('lowRecallText says when the whole index is well below the trial on its sample', () => {
  const made = { quality: 'high', trialRecall: 0.999 } as const
  expect(lowRecallText({ recallAt10: 0.9485, selfRecall: 1 }, made)).toMatch('the trial on a sample found 0.9990, the')
  expect(lowRecallText({ recallAt10: 0.955, selfRecall: 1 }, made)).toBeUndefined()
  expect(lowRecallText({ recallAt10: 0.95, selfRecall: 1 }, { ...made, trialRecall: 1 })).toBeUndefined()
})

it('lowRecallText suggests only what is left to try', () => {
  const low = { recallAt10: 0.9, selfRecall: 1 }
  expect(lowRecallText(low, { quality: 'high', trialRecall: undefined })).toMatch('. Try a larger m for the build, or')
  expect(lowRecallText(low, { quality: 'imported', trialRecall: undefined })).toMatch('. Try a larger ef for searches')
})

it('lowRecallText names a coarse quantization first', () => {
  const low = { recallAt10: 0.8, selfRecall: 1 }
  expect(lowRecallText(low, BALANCED, 'binary')).toMatch(
    ". Try quantization 'sq8' ('binary' keeps a bit of each component",
  )
  expect(lowRecallText(low, BALANCED, 'pq')).toMatch("Try quantization 'sq8' ('pq' keeps")
  expect(lowRecallText(low, BALANCED, 'sq8')).toMatch("Try quality 'high'")
})
