/** What a build and the hosts that work for it tell each other. Plain data, as JSON in Redis. */
import type { StageName } from '../api/report.js'
import type { TaskName } from '../tasks/tasks.js'

/** Bytes in a file that all hosts see. */
export interface Place {
  /** Relative to the shared folder, with '/' between its parts. */
  readonly file: string
  readonly offset: number
  readonly bytes: number
  /** CRC-32 of these bytes. */
  readonly crc: number
}

/** A build that wants hosts. It renews this notice as long as it runs. */
export interface BuildNotice {
  /** The name of its queue: that of the build. */
  readonly queue: string
  /** The package's version: another one may make other bytes, and is refused. */
  readonly version: string
  /** A file in the shared folder, and what is in it: a host that cannot read it sees another folder. */
  readonly marker: { readonly file: string; readonly text: string }
  /** The folder for the results of tasks, relative as in `Place`. */
  readonly results: string
  readonly stage: StageName
  /** What a host holds beside its tasks, and what each task takes at most. */
  readonly hostBytes: number
  readonly taskBytes: number
  /** A task whose host says nothing for this long goes to another one. */
  readonly lockSeconds: number
  /** When it was last renewed, milliseconds since 1970. */
  readonly at: number
}

/** A task in the build's queue. */
export interface TaskJob {
  readonly version: string
  /** Number of the task, a dot, number of the attempt: '17.0'. */
  readonly id: string
  readonly name: TaskName
  /** Names it in errors and logs. */
  readonly label: string
  /** The task, encoded. */
  readonly task: Place
}

/** What a host returns of a task: the encoded outcome. A job whose host could not even write that fails in the queue. */
export interface TaskDone {
  readonly id: string
  readonly host: string
  readonly outcome: Place
}

/** A process that works for a build. It renews this notice every second. */
export interface HostNotice {
  /** Unique: host name, process id and a random part. */
  readonly host: string
  readonly version: string
  readonly state: 'working' | 'refused' | 'ending'
  /** Why it takes no tasks of this build; empty while it does. */
  readonly reason: string
  readonly threads: number
  /** Tasks it runs at once for this build: what its threads and memory allow. */
  readonly slots: number
  readonly running: number
  readonly done: number
  /** Seconds that its threads worked for this build. */
  readonly busySeconds: number
  readonly rssBytes: number
  readonly memoryBytes: number
  readonly at: number
}
