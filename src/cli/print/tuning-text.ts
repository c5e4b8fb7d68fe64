import type { Tuning } from '../../api/measure.js'

/** 'ef 37 for recall@10 0.95 (measured 0.9512 on 500 sampled vectors)'. */
export function tuningText({ k, targetRecall, ef, recall, queries, source }: Tuning): string {
  const kind = source === 'sampled' ? 'sampled vectors' : 'given queries'
  return `ef ${ef} for recall@${k} ${targetRecall} (measured ${recall.toFixed(4)} on ${queries} ${kind})`
}

/** Why a target was missed, and what may help. */
export function missedText({ k, targetRecall, ef, recall }: Tuning): string {
  return (
    `recall@${k} ${targetRecall} was not reached: ${recall.toFixed(4)} at ef ${ef} is the best there is; nothing was ` +
    `stored; build with a larger --m or --quality high`
  )
}
