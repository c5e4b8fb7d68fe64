/** What threads of a live index do: plain data in, plain data out. */
import type { PartEntry } from '../../format/live/parts-file.js'
import type { CompactJob, Compacted } from './compact-generation.js'
import type { MergeJob } from './merge-job.js'
import type { SealJob } from './seal-job.js'

export interface Jobs {
  seal: { job: SealJob; result: PartEntry }
  merge: { job: MergeJob; result: PartEntry }
  compact: { job: CompactJob; result: Compacted }
}

export type JobName = keyof Jobs

export interface JobRequest<Name extends JobName> {
  readonly name: Name
  readonly job: Jobs[Name]['job']
}
