/**
 * The tasks of worker threads by name, with their input and result. Both are plain data, so that a task can run again,
 * and on any thread. `workers/worker.ts` has the functions.
 */
import type { NearestLists } from '../search/measure/nearest-lists.js'
import type { LongestResult, LongestTask } from './link/longest-task.js'
import type { MergeResult, MergeTask } from './link/merge-task.js'
import type { RestoreResult, RestoreTask } from './link/restore-task.js'
import type { ShardResult, ShardTask } from './link/shard-task.js'
import type { TrialResult, TrialTask } from './link/trial-task.js'
import type { UpperResult, UpperTask } from './link/upper-task.js'
import type { ExactTask } from './prove/exact-task.js'
import type { ReachResult, ReachTask } from './prove/reach-task.js'
import type { RecallResult, RecallTask } from './prove/recall-task.js'
import type { EncodeResult, EncodeTask } from './quantize/encode-task.js'
import type { GatherTask } from './gather-task.js'
import type { TrainTask } from './quantize/train-task.js'
import type { CutResult, CutTask } from './route/cut-task.js'
import type { LeadersResult, LeadersTask } from './route/leaders-task.js'
import type { RouteResult, RouteTask } from './route/route-task.js'
import type { SampleResult, SampleTask } from './route/sample-task.js'

interface Task<Takes, Gives> {
  readonly task: Takes
  readonly result: Gives
}

export interface Tasks {
  readonly leaders: Task<LeadersTask, LeadersResult>
  readonly route: Task<RouteTask, RouteResult>
  readonly sample: Task<SampleTask, SampleResult>
  readonly cut: Task<CutTask, CutResult>
  readonly trial: Task<TrialTask, TrialResult>
  readonly shard: Task<ShardTask, ShardResult>
  readonly restore: Task<RestoreTask, RestoreResult>
  readonly longest: Task<LongestTask, LongestResult>
  readonly merge: Task<MergeTask, MergeResult>
  readonly upper: Task<UpperTask, UpperResult>
  readonly gather: Task<GatherTask, void>
  readonly train: Task<TrainTask, void>
  readonly encode: Task<EncodeTask, EncodeResult>
  readonly reach: Task<ReachTask, ReachResult>
  readonly exact: Task<ExactTask, NearestLists>
  readonly recall: Task<RecallTask, RecallResult>
}

export type TaskName = keyof Tasks

/** The message that asks a thread for a task. */
export interface TaskRequest<Name extends TaskName = TaskName> {
  readonly name: Name
  readonly task: Tasks[Name]['task']
}
