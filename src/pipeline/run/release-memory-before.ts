import v8 from 'node:v8'
import vm from 'node:vm'
import type { StageName } from '../../api/report.js'
import type { Uses } from './run.js'

/** Stages that start with the memory of the previous stage released, when the plan has no room for both. */
const FRESH_STAGES: ReadonlySet<StageName> = new Set(['merge', 'upper levels', 'quantize', 'prove'])

/**
 * Releases the memory of the previous stage when the plan says that two stages do not fit at the same time: buffers,
 * the threads with their WebAssembly memories (which can grow and never shrink), and garbage that only a collection
 * frees.
 */
export async function releaseMemoryBefore(
  stage: StageName,
  { plan, queues, tasks }: Uses<'plan' | 'queues' | 'tasks'>,
): Promise<void> {
  if (!plan.releaseBetweenStages || !FRESH_STAGES.has(stage)) return
  await queues.release()
  await tasks.renew()
  collectGarbage()
}

/** Calls the collector through a separate context, so that the caller's globals do not change. */
function collectGarbage(): void {
  v8.setFlagsFromString('--expose-gc')
  vm.runInNewContext('gc()')
  v8.setFlagsFromString('--no-expose-gc')
}
