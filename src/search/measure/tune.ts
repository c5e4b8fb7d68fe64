import type { TuneOptions, TuneResult } from '../../api/measure.js'
import { checkTuningWritable, storeTuning } from '../../format/generation/tuning.js'
import type { OpenGeneration } from '../open-generation.js'
import { checkTarget } from './check-measure-options.js'
import { chooseEf } from './choose-ef.js'
import type { Pace } from './pace.js'

/** Chooses an ef and stores it with the generation, unless `store` is false. @throws as chooseEf; PathError */
export async function tune(open: OpenGeneration, options: TuneOptions, pace: Pace): Promise<TuneResult> {
  const { store } = checkTarget(options)
  const { generation } = open.facts
  if (store) await checkTuningWritable(open.directory)
  const chosen = await chooseEf(open, generation, options, pace)
  if (!store || !chosen.reached) return { ...chosen, stored: false }
  const { k, targetRecall, ef, recall, queries, source, tunedAt } = chosen
  const tuning = { k, targetRecall, ef, recall, queries, source, tunedAt }
  open.tunings = await storeTuning(open.directory, generation, tuning)
  return { ...chosen, stored: true }
}
