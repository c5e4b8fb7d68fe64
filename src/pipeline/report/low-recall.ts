import type { BuildReport } from '../../api/report.js'

/** Below this a build warns. */
const ENOUGH = 0.95

const WHAT_TO_TRY =
  `Try quality 'high' or a larger m for the build, or a larger ef for searches ` +
  `(shardloom recall DIR --target-recall R chooses one)`

type Measured = Pick<BuildReport, 'recallAt10' | 'selfRecall'>

/** Says what a search of the graph misses, and what to try; undefined when the proof found enough. */
export function lowRecallText({ recallAt10, selfRecall = 1 }: Measured): string | undefined {
  const remarks: string[] = []
  if (recallAt10 < ENOUGH) {
    const missed = (10 * (1 - recallAt10)).toFixed(1)
    remarks.push(
      `recall@10 is ${recallAt10.toFixed(4)}: a search at ef 64 misses ${missed} of ten neighbours on average`,
    )
  }
  if (selfRecall < ENOUGH) {
    const lost = (100 * (1 - selfRecall)).toFixed(1)
    remarks.push(
      `self-recall is ${selfRecall.toFixed(4)}: a search at ef 64 for a vector misses it in ${lost}% of cases`,
    )
  }
  return remarks.length === 0 ? undefined : `${remarks.join('; ')}. ${WHAT_TO_TRY}`
}
