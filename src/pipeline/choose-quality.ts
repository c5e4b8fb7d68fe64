import type { Quality } from '../api/report.js'
import type { Uses } from './run/run.js'
import type { GridSpec } from '../rows/grid-spec.js'
import type { Sample } from './ingest/reservoir-sample.js'
import { type TrialTask } from '../tasks/link/trial-task.js'
import { TRIAL_QUERIES } from '../plan/plan-build.js'

export interface ChosenQuality {
  readonly quality: Quality
  /** Recall@10 of the trial; undefined when none was made. */
  readonly trialRecall: number | undefined
}

/**
 * A trial below this chooses 'high'. Trials of SIFT, a 16-dimensional manifold and text (LSA, 384 dimensions) found .997,
 * .999 and .964; whole indexes reach, on queries not in them, .990 (SIFT) and .957 (text) at 'balanced', the text .971 at
 * 'high'.
 */
const ENOUGH_RECALL = 0.98
/** A smaller sample is the whole of a small index, and that is searched well at any quality. */
const LEAST_SAMPLE = 512

/**
 * 'auto' by trial: a small index of one part of the sample at 'balanced', asked for the other part at ef 64. Data that
 * are hard to search show it there.
 */
export async function chooseQuality(
  { options, plan, threads }: Uses<'options' | 'plan' | 'threads'>,
  spec: GridSpec,
  sample: Sample,
  maxSquaredNorm: number,
): Promise<ChosenQuality> {
  const { quality, metric, engine, m, seed } = options
  if (quality !== 'auto') return { quality, trialRecall: undefined }
  const used = Math.min(sample.count, plan.trialRows)
  if (used < LEAST_SAMPLE) return { quality: 'balanced', trialRecall: undefined }
  const { buffer, byteOffset } = sample.rows
  const task: TrialTask = {
    sample: new Uint8Array(buffer, byteOffset, used * 4 * spec.dimensions),
    rowCount: used - TRIAL_QUERIES,
    queryCount: TRIAL_QUERIES,
    metric,
    spec,
    engine,
    m,
    seed,
    maxSquaredNorm,
  }
  const { recallAt10 } = await threads.run('trial', task, `trial on ${used} sampled vectors`)
  return { quality: recallAt10 < ENOUGH_RECALL ? 'high' : 'balanced', trialRecall: recallAt10 }
}
