import PQueue from 'p-queue'
import { abortError } from './abort-error.js'
import type { TaskName, Tasks } from './tasks.js'

/** Where the tasks of a build run: on threads of this process, or on other hosts. */
export interface TaskRunner {
  /** Tasks that can run at the same time; at least 1. */
  readonly slots: number

  /** Runs one task. `label` names it in errors and events. */
  run<Name extends TaskName>(name: Name, task: Tasks[Name]['task'], label: string): Promise<Tasks[Name]['result']>

  /** As `run`, for a task that fills an output: at most `bytes`. Give the output back when it is read. */
  runInto<Name extends OutputTaskName>(
    name: Name,
    task: WithoutOutput<Name>,
    bytes: number,
    label: string,
  ): Promise<Filled<Tasks[Name]['result']>>

  /**
   * Runs a task for every item and passes each result to `onResult` before another task takes its place, so that
   * results never pile up. The first failure ends the run, after the tasks already running have stopped.
   */
  runAll<Item, Result>(
    items: Iterable<Item> | AsyncIterable<Item>,
    runOne: (item: Item) => Promise<Result>,
    onResult: (result: Result, item: Item) => Promise<void> | void,
  ): Promise<void>

  /** Says of arrays that many tasks get, all those in `value`, that nothing changes them as long as any of them runs. */
  share<Shared extends object>(value: Shared): Shared

  /** While paused, no task starts beside a running one, because memory is short. One task at a time can always run. */
  pause(paused: boolean): void

  /** Releases the memory of the tasks that ran. No task is running. */
  renew(): Promise<void>

  /** Time of all successful tasks, and the part of it spent in the distance tile. */
  readonly work: { readonly busySeconds: number; readonly tileSeconds: number }

  close(): Promise<void>
}

/** The tasks that fill an output. */
export type OutputTaskName = 'route' | 'cut' | 'shard'

export type WithoutOutput<Name extends OutputTaskName> = Omit<Tasks[Name]['task'], 'output'>

/** The result of a task, and what it wrote to its output: its first `result.outputBytes` bytes. */
export interface Filled<Result> {
  readonly result: Result
  readonly output: Uint8Array
  /** The output may be used again from now on. */
  readonly release: () => void
}

/** How many tasks of `runAll` may be in progress; asked again before each. */
export interface RunLimits {
  readonly atOnce: () => number
  readonly signal: AbortSignal | undefined
}

/** `TaskRunner.runAll`, with at most `atOnce()` items in progress. */
export async function runAll<Item, Result>(
  { atOnce, signal }: RunLimits,
  items: Iterable<Item> | AsyncIterable<Item>,
  runOne: (item: Item) => Promise<Result>,
  onResult: (result: Result, item: Item) => Promise<void> | void,
): Promise<void> {
  const queue = new PQueue({ concurrency: atOnce() })
  const failures: unknown[] = []
  for await (const item of items) {
    if (failures.length > 0) break
    if (signal?.aborted === true) {
      failures.push(abortError(signal))
      break
    }
    queue.concurrency = atOnce()
    // Errors are collected here, so the promise that add() returns always fulfils.
    void queue.add(async () => {
      if (failures.length > 0) return
      try {
        await onResult(await runOne(item), item)
      } catch (error) {
        failures.push(error)
      }
    })
    await queue.onSizeLessThan(1)
  }
  await queue.onIdle()
  if (failures.length > 0) throw failures[0]
}
