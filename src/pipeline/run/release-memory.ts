import v8 from 'node:v8'
import vm from 'node:vm'
import type { PlannedContext } from './build-context.js'

/**
 * Gives back what the last stage held, when the plan says that two stages do not fit side by side: buffers, the
 * threads with their WebAssembly memories (which can grow and never shrink), and what only a collection frees.
 */
export async function releaseMemory(context: PlannedContext): Promise<void> {
  if (!context.plan.releaseBetweenStages) return
  // One batch in memory keeps its whole slab there.
  await context.budget.spill()
  context.buffers.clear()
  context.outputs.clear()
  await context.pool.renew()
  collectGarbage()
}

/** The collector is reached through a context of its own, so that the caller's globals stay as they are. */
function collectGarbage(): void {
  v8.setFlagsFromString('--expose-gc')
  vm.runInNewContext('gc()')
  v8.setFlagsFromString('--no-expose-gc')
}
