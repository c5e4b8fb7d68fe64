/** A host that runs tasks of builds. */
import type { Logger } from './build.js'

export interface WorkerOptions {
  // <generated options-worker>
  /** Redis 6.2 or later: its URL, or the options of ioredis. */
  readonly connection: string | Readonly<Record<string, unknown>>
  /** The folder that all hosts see. */
  readonly sharedDir: string
  /**
   * Memory of this host for tasks, in bytes or as text such as 8GB: how many tasks it runs at once depends on it, and
   * on `threads`. Default: the free memory.
   */
  readonly memory?: number | string
  /** Worker threads at most. Default: the cores. */
  readonly threads?: number
  /**
   * Seconds that running tasks have when the worker is told to end; those that take longer go back to the build, and
   * run on another host. Default 25.
   */
  readonly graceSeconds?: number
  /** End when no build has wanted hosts for this many seconds. Default: never. */
  readonly untilIdleSeconds?: number
  /**
   * An `AbortSignal`; once it fires the worker takes no more tasks, ends or gives back those that run, and resolves.
   */
  readonly signal?: AbortSignal
  /** An object with the methods `info(message)` and `warn(message)`: `console` or pino. Default: silent. */
  readonly logger?: Logger
  // </generated>
}

/** What a worker did until it ended. */
export interface WorkerSummary {
  /** Host name, process and a random part, as in reports of builds. */
  readonly host: string
  readonly seconds: number
  /** Builds that it ran tasks of. */
  readonly builds: number
  /** Tasks that it finished. */
  readonly tasks: number
  /** Time of its threads in them. */
  readonly busySeconds: number
  readonly peakRssBytes: number
}
