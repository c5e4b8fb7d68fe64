import type { MeasureOptions, RecallCurve, TuneResult } from '../../api/measure.js'
import { InvalidOptionError } from '../../errors.js'
import type { RECALL_COMMAND_OPTIONS } from '../../options/command-options.js'
import { raisedEfText } from '../../search/default-ef.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { openPreloaded } from '../files/open-preloaded.js'
import { readQueries } from '../files/read-queries.js'
import { interruptible } from '../interruptible.js'
import { curveLines } from '../print/curve-lines.js'
import { measureProgressText } from '../print/progress-text.js'
import { StatusLine } from '../screen/status-line.js'
import type { Session } from '../session.js'
import { sayMissed, tuneIndex, warnOfChanges } from './tune-index.js'

type RecallFlags = OptionsOf<typeof RECALL_COMMAND_OPTIONS>
type Measured = RecallCurve | TuneResult

export const recallCommand: CommandBody<RecallFlags, Measured> = { run, print: curveLines }

async function run(flags: RecallFlags, session: Session): Promise<Measured> {
  checkFlags(flags)
  const measured = await measure(flags, session)
  if ('reached' in measured && !measured.reached) sayMissed(measured, session)
  return measured
}

function checkFlags({ ef, rerank, targetRecall }: RecallFlags): void {
  if (ef !== undefined && targetRecall !== undefined) {
    throw new InvalidOptionError('--ef says what to measure, and --target-recall chooses it; give one')
  }
  if (rerank !== undefined && targetRecall !== undefined) {
    throw new InvalidOptionError('--target-recall chooses ef for searches without --rerank; give one')
  }
}

async function measure(flags: RecallFlags, { terminal }: Session): Promise<Measured> {
  const { k, ef, rerank, sample, seed, queries, targetRecall: recall } = flags
  const index = await openPreloaded(flags.path, flags.memory)
  try {
    if (!flags.quiet) warnOfChanges(index, flags.path, terminal)
    const status = new StatusLine(terminal, flags.quiet)
    // Outside of `interruptible`: reading may wait for the writer of a pipe, and there is nothing to clean up.
    const options: MeasureOptions = {
      k,
      sample,
      seed,
      queries: queries === undefined ? undefined : await readQueries(queries, index.dimensions),
      onProgress: (progress) => status.show(() => measureProgressText(progress)),
    }
    const least = Math.min(k, index.count)
    for (const width of ef ?? []) if (width < least) terminal.warn(raisedEfText(width, k, least))
    return await interruptible<Measured>(terminal, (signal) =>
      recall === undefined
        ? index.recallCurve({ ...options, ef, rerank, signal })
        : tuneIndex(index, { ...options, recall, signal }, terminal),
    )
  } finally {
    await index.close()
  }
}
