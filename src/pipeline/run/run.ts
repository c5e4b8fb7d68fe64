import path from 'node:path'
import type { BuildPlan } from '../../plan/plan-build.js'
import type { ResolvedOptions } from '../../options/resolve-options.js'
import type { HostReport, StageName } from '../../api/report.js'
import { abortError } from '../../tasks/abort-error.js'
import type { TaskRunner } from '../../tasks/task-runner.js'
import type { Resume } from '../resume/resume.js'
import type { BuildLog } from './build-log.js'
import type { MemoryMonitor } from './memory-monitor.js'
import type { Queues } from './queues.js'

export interface BuildPaths {
  readonly indexDir: string
  /** Exists only during a build: lock, journal, spill files. */
  readonly buildDir: string
  readonly spillDir: string
  readonly generation: string
  readonly generationDir: string
  /**
   * Ends the names of files that tasks on other hosts write in place, so that a host which wakes up late writes to no
   * file of another run. Empty when tasks run here.
   */
  readonly runSuffix: string
}

/** One build from its start. Stages pass their results on as values; only these parts are shared. */
export interface Run {
  readonly options: ResolvedOptions
  readonly paths: BuildPaths
  readonly log: BuildLog
  readonly memory: MemoryMonitor
  readonly queues: Queues
  /** Present in a build that can be resumed. */
  readonly resume: Resume | undefined
  /** The last change in `live/` that the new generation contains or replaces; 0 when nothing was ever changed. */
  readonly liveSequence: number
  /** Runs a stage, times it and watches its memory. */
  stage<Result>(name: StageName, body: () => Promise<Result>): Promise<Result>
}

/** The same build once its vectors are counted: the plan is final, and the worker threads it allows are running. */
export interface PlannedRun extends Run {
  readonly plan: BuildPlan
  /** Runs its tasks. */
  readonly tasks: TaskRunner
  /** The hosts that run its tasks, now; undefined in a build on one machine. */
  readonly hosts: readonly HostReport[] | undefined
  /** Call this when the new generation is live. It is then kept in every case. */
  markPublished(): void
}

/** The parts of a run that a function uses. */
export type Uses<Part extends keyof PlannedRun> = Pick<PlannedRun, Part>

/** The file of a layer's grid rows, when memory has no room for them. */
export function gridPath({ spillDir, runSuffix }: BuildPaths, layer: string): string {
  return path.join(spillDir, `${layer}-codes${runSuffix}.bin`)
}

export function throwIfAborted({ options }: Uses<'options'>): void {
  const { signal } = options
  if (signal?.aborted === true) throw abortError(signal)
}
