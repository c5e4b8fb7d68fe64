import type { BuildReport, Quantization } from '../../api/report.js'
import { lowRecallAdvice } from '../../report/low-recall-advice.js'
import type { GraphOrigin } from './graph-origin.js'

/** Below this a build warns. */
const ENOUGH = 0.95

/** A sample is easier to search than the whole. More than this below its trial, something is wrong with the graph. */
const TRIAL_TOLERANCE = 0.05

type Measured = Pick<BuildReport, 'recallAt10' | 'selfRecall'>
type Made = GraphOrigin['chosen']

/** Says what a search of the graph misses, and what to try; undefined when the proof found enough. */
export function lowRecallText(
  { recallAt10, selfRecall = 1 }: Measured,
  made: Made,
  quantization: Quantization = 'f32',
): string | undefined {
  const remarks: string[] = []
  if (recallAt10 < ENOUGH) {
    const missed = (10 * (1 - recallAt10)).toFixed(1)
    remarks.push(
      `recall@10 is ${recallAt10.toFixed(4)}: a search at ef 64 misses ${missed} of ten neighbours on average`,
    )
  }
  const { trialRecall } = made
  if (trialRecall !== undefined && recallAt10 < trialRecall - TRIAL_TOLERANCE) {
    remarks.push(
      `the trial on a sample found ${trialRecall.toFixed(4)}, the whole index finds ${recallAt10.toFixed(4)}`,
    )
  }
  if (selfRecall < ENOUGH) {
    const lost = (100 * (1 - selfRecall)).toFixed(1)
    remarks.push(
      `self-recall is ${selfRecall.toFixed(4)}: a search at ef 64 for a vector misses it in ${lost}% of cases`,
    )
  }
  return remarks.length === 0
    ? undefined
    : `${remarks.join('; ')}. Try ${betterQuantization(quantization)}${lowRecallAdvice(made)}`
}

/** The coarse ones lose more than the graph does, on data that they do not suit. */
function betterQuantization(quantization: Quantization): string {
  if (quantization !== 'binary' && quantization !== 'pq') return ''
  const kept = quantization === 'binary' ? 'a bit of each component' : 'a byte of four components'
  return `quantization 'sq8' ('${quantization}' keeps ${kept}, too little for these vectors), `
}
