import type { Quality } from '../api/report.js'
import type { Uses } from './run/run.js'
import { LEAST_TRIAL_ROWS } from '../plan/useful-threads.js'
import type { GridSpec } from '../rows/grid-spec.js'
import type { Sample } from './ingest/reservoir-sample.js'
import { TRIAL_QUERIES, trialRows, type TrialTask } from '../tasks/link/trial-task.js'

export interface ChosenQuality {
  readonly quality: Quality
  /** Recall@10 of its trial; undefined when there was no trial. */
  readonly trialRecall: number | undefined
}

/**
 * A trial of 'balanced' with lower recall is followed by one of 'high'. Trials on SIFT, a 16-dimensional manifold and text (LSA, 384 dimensions)
 * gave .997, .999 and .964. On queries that are not in the index, whole indexes at 'balanced' reach .990 (SIFT) and
 * .957 (text). At 'high' the text reaches .971.
 */
const ENOUGH_RECALL = 0.98

/**
 * Resolves quality 'auto' with a trial: a small index of one part of the sample, built at 'balanced', is searched for
 * the other part at ef 64. Data that are hard to search have low recall there, and are tried at 'high' as well: the
 * better one is chosen, 'balanced' of equal ones.
 */
export async function chooseQuality(
  { options, plan, tasks }: Uses<'options' | 'plan' | 'tasks'>,
  spec: GridSpec,
  sample: Sample,
  maxSquaredNorm: number,
): Promise<ChosenQuality> {
  const { quality, metric, engine, m, seed } = options
  if (quality !== 'auto') return { quality, trialRecall: undefined }
  const used = Math.min(sample.count, trialRows(plan))
  if (used < LEAST_TRIAL_ROWS) return { quality: 'balanced', trialRecall: undefined }
  const { buffer, byteOffset } = sample.rows
  const task: Omit<TrialTask, 'quality'> = {
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
  const recallWith = async (tried: Quality): Promise<number> => {
    const trial = await tasks.run('trial', { ...task, quality: tried }, `trial of ${tried} on ${used} sampled vectors`)
    return trial.recallAt10
  }
  const balanced = await recallWith('balanced')
  if (balanced >= ENOUGH_RECALL) return { quality: 'balanced', trialRecall: balanced }
  const high = await recallWith('high')
  return high > balanced ? { quality: 'high', trialRecall: high } : { quality: 'balanced', trialRecall: balanced }
}
