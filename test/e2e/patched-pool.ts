/** The seam for killing workers: every task of every build goes through WorkerPool.run. */
import type { TaskName } from '../../dist/src/tasks/tasks.js'
import { WorkerPool } from '../../dist/src/tasks/worker-pool.js'

export type Run = (pool: WorkerPool, name: TaskName, task: object, label: string) => Promise<unknown>

/** Runs `body` while the pools of the built package run tasks as `change` says. */
export async function withRun(change: (run: Run) => Run, body: () => Promise<void>): Promise<void> {
  const original = Object.getOwnPropertyDescriptor(WorkerPool.prototype, 'run')
  if (original === undefined) throw new Error('WorkerPool has no run()')
  const run = original.value as (this: WorkerPool, name: TaskName, task: object, label: string) => Promise<unknown>
  const changed = change((pool, name, task, label) => run.call(pool, name, task, label))
  const value = function (this: WorkerPool, name: TaskName, task: object, label: string): Promise<unknown> {
    return changed(this, name, task, label)
  }
  Object.defineProperty(WorkerPool.prototype, 'run', { ...original, value })
  try {
    await body()
  } finally {
    Object.defineProperty(WorkerPool.prototype, 'run', original)
  }
}
