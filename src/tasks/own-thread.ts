import { setImmediate } from 'node:timers/promises'
import { isMainThread } from 'node:worker_threads'
import { runTask } from './run-task.js'
import type { TaskOutcome } from './task-outcome.js'
import type { TaskName, TaskRequest, Tasks } from './tasks.js'
import { dropKernel } from './thread-kernel.js'

/** Components of a build whose tasks may run on the thread of a program, which waits for each: some 20 ms. */
const PROGRAM_COMPONENTS = 2 ** 17
/** On a thread, or in a process, that has nothing else to do. */
export const IDLE_COMPONENTS = 2 ** 22

let mostComponents = isMainThread ? PROGRAM_COMPONENTS : IDLE_COMPONENTS

/** Tasks of builds of more components run on threads; 0: those of all builds. */
export function runHereUpTo(components: number): void {
  mostComponents = components
}

/** Whether the tasks of a build run here: starting a thread, and compiling kernels in it, takes longer than they do. */
export function runsHere(components: number): boolean {
  return components <= mostComponents
}

/** Runs tasks on the thread that asks for them, one after another, with the same copies as between threads. */
export class OwnThread {
  #last: Promise<unknown> = Promise.resolve()

  run<Name extends TaskName>(request: TaskRequest<Name>): Promise<TaskOutcome<Tasks[Name]['result']>> {
    const running = this.#last.then(async () => {
      // Timers, and an abort, get their turn between two tasks.
      await setImmediate()
      return structuredClone(await runTask(structuredClone(request)))
    })
    this.#last = running.catch(() => undefined)
    return running
  }

  /** Frees the memory of the kernel. */
  async close(): Promise<void> {
    await this.#last
    dropKernel()
  }
}
