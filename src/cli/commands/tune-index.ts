import type { TuneOptions, TuneResult, Tuning } from '../../api/measure.js'
import { EXIT_CODES, PathError } from '../../errors.js'
import type { VectorIndex } from '../../search/vector-index.js'
import { baseAloneText } from '../print/live-lines.js'
import { missedText } from '../print/tuning-text.js'
import type { Terminal } from '../screen/terminal.js'
import type { Session } from '../session.js'

/** Says what is not measured, because it came after the last build. */
export function warnOfChanges(index: VectorIndex, path: string, terminal: Terminal): void {
  const text = baseAloneText(path, index.live)
  if (text !== undefined) terminal.warn(text)
}

/** Tunes and stores the choice; where it cannot be stored, warns and tunes without storing. */
export async function tuneIndex(index: VectorIndex, options: TuneOptions, terminal: Terminal): Promise<TuneResult> {
  try {
    return await index.tune(options)
  } catch (error) {
    if (!(error instanceof PathError)) throw error
    terminal.log(`warning: the choice of ef cannot be stored with the index: ${error.message}`)
    return index.tune({ ...options, store: false })
  }
}

/** A missed target is an answer, and still ends the command as failed. */
export function sayMissed(tuning: Tuning, session: Session): void {
  session.exitCode = EXIT_CODES.failed
  session.terminal.log(`error: ${missedText(tuning)}`)
}
