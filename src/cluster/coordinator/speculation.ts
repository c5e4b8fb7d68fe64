/** Tasks that go out once more, because hosts have nothing else to do. Tasks repeat exactly: the first result counts. */
import type { TaskName } from '../../tasks/tasks.js'
import type { OutstandingTask } from './outstanding-tasks.js'

/** A task that runs this many times longer than half of its kind do is worth a second run. */
const SLOW_FACTOR = 2
/** A second run costs more than a shorter wait. */
const LEAST_MS = 1000
/** Durations that the median is of: the newest ones. */
const REMEMBERED = 512

/** How long the finished tasks of each kind took. */
export class TaskDurations {
  readonly #byName = new Map<TaskName, { readonly ms: number[]; next: number }>()

  add(name: TaskName, ms: number): void {
    const kept = this.#byName.get(name) ?? { ms: [], next: 0 }
    this.#byName.set(name, kept)
    kept.ms[kept.next] = ms
    kept.next = (kept.next + 1) % REMEMBERED
  }

  /** Undefined when none has finished. */
  medianOf(name: TaskName): number | undefined {
    const sorted = this.#byName.get(name)?.ms.toSorted((a, b) => a - b)
    return sorted?.[Math.floor(sorted.length / 2)]
  }
}

/**
 * The task that has run longest of those worth a second run. Undefined when there is none, when a task still waits for
 * a host, or when no host has room. A task runs at most twice at once.
 */
export function taskToRepeat(
  attempts: Iterable<OutstandingTask['attempts'][number]>,
  durations: Pick<TaskDurations, 'medianOf'>,
  slots: number,
  nowMs: number,
): OutstandingTask | undefined {
  let running = 0
  let slowest: { readonly task: OutstandingTask; readonly ms: number } | undefined
  for (const { task, state, startedMs } of attempts) {
    if (state === 'returned') continue
    if (state === 'waiting' || startedMs === undefined) return undefined
    running++
    const ms = nowMs - startedMs
    if (task.attempts.length > 1 || ms <= LEAST_MS || ms <= (slowest?.ms ?? 0)) continue
    const median = durations.medianOf(task.name)
    if (median !== undefined && ms > SLOW_FACTOR * median) slowest = { task, ms }
  }
  return running < slots ? slowest?.task : undefined
}
