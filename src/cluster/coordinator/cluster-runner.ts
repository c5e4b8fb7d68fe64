import {
  runAll,
  type Filled,
  type OutputTaskName,
  type TaskRunner,
  type WithoutOutput,
} from '../../tasks/task-runner.js'
import type { TaskName, Tasks } from '../../tasks/tasks.js'
import { goesOut, type GivenTask } from '../files/task-effects.js'
import type { GivenTasks } from './given-tasks.js'
import type { HeldOutputs } from './held-outputs.js'
import type { HostList } from './host-list.js'

/** Tasks in progress at least: so many wait for the first host. */
const LEAST_AT_ONCE = 3

export interface ClusterRunnerParts {
  readonly given: GivenTasks
  /** Says of arrays that they are written once, and read by many tasks. */
  readonly shareFile: (value: object) => void
  readonly hosts: HostList
  readonly outputs: HeldOutputs
  /** Runs the tasks that stay here. */
  readonly local: TaskRunner
  readonly signal: AbortSignal
}

/** Runs the tasks of a build on other hosts. */
export class ClusterRunner implements TaskRunner {
  readonly #parts: ClusterRunnerParts

  constructor(parts: ClusterRunnerParts) {
    this.#parts = parts
  }

  get slots(): number {
    return Math.max(1, this.#parts.hosts.slots)
  }

  async run<Name extends TaskName>(
    name: Name,
    task: Tasks[Name]['task'],
    label: string,
  ): Promise<Tasks[Name]['result']> {
    const { given, local } = this.#parts
    if (!goesOut(name)) return local.run(name, task, label)
    return (await given.give(name, task as GivenTask<Name>, label)).value
  }

  async runInto<Name extends OutputTaskName>(
    name: Name,
    task: WithoutOutput<Name>,
    bytes: number,
    label: string,
  ): Promise<Filled<Tasks[Name]['result']>> {
    const { value, output, release } = await this.#parts.given.give(name, task as GivenTask<Name>, label, bytes)
    if (output === undefined) throw new Error(`task ${label} fills an output, and its result has none`)
    return { result: value, output, release }
  }

  /** Each slot has a task that runs and one that waits for it: a host never waits for the coordinator. */
  async runAll<Item, Result>(
    items: Iterable<Item> | AsyncIterable<Item>,
    runOne: (item: Item) => Promise<Result>,
    onResult: (result: Result, item: Item) => Promise<void> | void,
  ): Promise<void> {
    const { hosts, outputs, signal, given } = this.#parts
    const atOnce = (): number => Math.max(LEAST_AT_ONCE, 2 * hosts.slots + 1)
    const orLift = async <Value>(body: () => Promise<Value> | Value): Promise<Value> => {
      try {
        return await body()
      } catch (error) {
        outputs.lift()
        throw error
      }
    }
    try {
      await runAll(
        { atOnce, signal },
        items,
        (item) => orLift(() => runOne(item)),
        (result, item) => orLift(() => onResult(result, item)),
      )
    } finally {
      given.tellRepeated()
    }
  }

  share<Shared extends object>(value: Shared): Shared {
    this.#parts.shareFile(value)
    return this.#parts.local.share(value)
  }

  pause(paused: boolean): void {
    this.#parts.given.pause(paused)
    this.#parts.local.pause(paused)
  }

  async renew(): Promise<void> {
    this.#parts.outputs.clear()
    await this.#parts.local.renew()
  }

  get work(): { readonly busySeconds: number; readonly tileSeconds: number } {
    const { busyMs, tileMs } = this.#parts.given.work
    const { busySeconds, tileSeconds } = this.#parts.local.work
    return { busySeconds: busyMs / 1000 + busySeconds, tileSeconds: tileMs / 1000 + tileSeconds }
  }

  async close(): Promise<void> {
    await this.#parts.local.close()
  }
}
