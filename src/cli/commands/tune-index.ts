import { PathError } from '../../errors.js'
import type { VectorIndex } from '../../search/vector-index.js'
import type { TuneOptions, TuneResult, Tuning } from '../../api/measure.js'
import type { Terminal } from '../screen/terminal.js'

/** Tunes and stores; where nothing can be stored, says so and tunes all the same. */
export async function tuneIndex(index: VectorIndex, options: TuneOptions, terminal: Terminal): Promise<TuneResult> {
  try {
    return await index.tune(options)
  } catch (error) {
    if (!(error instanceof PathError)) throw error
    terminal.log(`warning: the choice of ef cannot be stored with the index: ${error.message}`)
    return index.tune({ ...options, store: false })
  }
}

/** 'ef 37 for recall@10 0.95 (measured 0.9512 on 500 sampled vectors)'. */
export function tuningText({ k, targetRecall, ef, recall, queries, source }: Tuning): string {
  const whose = source === 'sampled' ? 'sampled vectors' : 'given queries'
  return `ef ${ef} for recall@${k} ${targetRecall} (measured ${recall.toFixed(4)} on ${queries} ${whose})`
}

/** Why a target was missed, and what may help. */
export function missedText({ k, targetRecall, ef, recall }: Tuning): string {
  return (
    `recall@${k} ${targetRecall} was not reached: ${recall.toFixed(4)} at ef ${ef} is the best there is; nothing was ` +
    `stored; build with a larger --m or --quality high`
  )
}
