/** Shows how a build goes on: on a screen, as lines of text, or as JSON. */
import type { BuildReport } from '../../api/report.js'
import type { Logger, ProgressEvent } from '../../api/build.js'
import { frameLines, lastFrameLines } from './live-frame.js'
import { progressText } from '../print/progress-text.js'
import { StageClock } from './stage-clock.js'
import type { Terminal } from './terminal.js'

export interface BuildView {
  readonly logger: Logger
  readonly onProgress: (event: ProgressEvent) => void
  /** Call when the build has ended; it has no report when it failed. */
  end(report: BuildReport | undefined): void
}

/** Seconds between lines of progress, where lines are not rewritten. */
const LINE_SECONDS = 10

export async function openBuildView(
  terminal: Terminal,
  { verbose, json }: { readonly verbose: boolean; readonly json: boolean },
): Promise<BuildView> {
  if (json) return jsonView(terminal)
  if (!terminal.isLive) return plainView(terminal)
  await terminal.openFrame()
  return liveView(terminal, verbose)
}

/** One line for each stage, written when it ends, and progress lines for a long one. */
export function plainView(terminal: Pick<Terminal, 'log' | 'warn'>): BuildView {
  let saidAt = 0
  let now = 0
  return {
    logger: {
      info: (message) => {
        saidAt = now
        terminal.log(message)
      },
      warn: (message) => terminal.warn(message),
    },
    onProgress: (event) => {
      now = event.elapsedSeconds
      if (now - saidAt < LINE_SECONDS) return
      saidAt = now
      terminal.log(progressText(event))
    },
    end: () => undefined,
  }
}

/** Stages with times and numbers as fields, for cron and log collectors. */
export function jsonView(terminal: Pick<Terminal, 'logFields' | 'warn'>): BuildView {
  const clock = new StageClock()
  let saidAt = 0
  const stageEnded = (event: ProgressEvent | undefined): void => {
    const seconds = clock.finished.at(-1)?.seconds
    if (event === undefined || seconds === undefined) return
    saidAt = event.elapsedSeconds
    terminal.logFields({ event: 'stage', ...fieldsOf(event), seconds }, `stage ${event.stage} done`)
  }
  return {
    // The lines for stages are written with fields, above.
    logger: { info: () => undefined, warn: (message) => terminal.warn(message, { stage: clock.last?.stage }) },
    onProgress: (event) => {
      stageEnded(clock.update(event))
      if (event.elapsedSeconds - saidAt < LINE_SECONDS) return
      saidAt = event.elapsedSeconds
      terminal.logFields({ event: 'progress', ...fieldsOf(event) }, progressText(event))
    },
    end: (report) => {
      if (report === undefined) return
      const last = clock.last
      clock.finish()
      stageEnded(last)
      const { count, dimensions, seconds, recallAt10, peakRssBytes, spilledBytes, diskBytes, generation, path } = report
      terminal.logFields(
        {
          event: 'built',
          ...{ count, dimensions, seconds, recallAt10, peakRssBytes, spilledBytes, diskBytes, generation, path },
          ...(report.hosts !== undefined && { hosts: report.hosts }),
        },
        `built ${generation}`,
      )
    },
  }
}

function fieldsOf(event: ProgressEvent): object {
  const { stage, done, total, unit, rate, etaSeconds, elapsedSeconds } = event
  const { rssBytes, budgetBytes, spilledBytes, pressure, hosts } = event
  const counted = unit === '' ? {} : { done, total, unit, rate: Math.round(rate), etaSeconds }
  return { stage, ...counted, elapsedSeconds, rssBytes, budgetBytes, spilledBytes, pressure, hosts }
}

/** A frame with all stages, rewritten in place. */
function liveView(terminal: Terminal, verbose: boolean): BuildView {
  const clock = new StageClock()
  return {
    logger: {
      info: (message) => {
        if (verbose) terminal.log(message)
      },
      warn: (message) => terminal.warn(message),
    },
    onProgress: (event) => {
      clock.update(event)
      terminal.frame(frameLines(clock.finished, event, terminal.look))
    },
    end: (report) => {
      const { last, runningSeconds } = clock
      if (report !== undefined) clock.finish()
      const failed =
        report === undefined && last !== undefined ? { name: last.stage, seconds: runningSeconds } : undefined
      terminal.frame(lastFrameLines(clock.finished, failed, terminal.look))
      terminal.keepFrame()
    },
  }
}
