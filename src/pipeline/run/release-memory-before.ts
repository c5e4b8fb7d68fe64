import v8 from 'node:v8'
import vm from 'node:vm'
import type { StageName } from '../../api/report.js'
import type { Uses } from './run.js'

/** Stages that begin in memory that the stage before gave back, when the plan has no room for what both hold. */
const FRESH_STAGES: ReadonlySet<StageName> = new Set(['merge', 'upper levels', 'quantize', 'prove'])

/**
 * Gives back what the last stage held, when the plan says that two stages do not fit side by side: buffers, the
 * threads with their WebAssembly memories (which can grow and never shrink), and what only a collection frees.
 */
export async function releaseMemoryBefore(
  stage: StageName,
  { plan, queues, threads }: Uses<'plan' | 'queues' | 'threads'>,
): Promise<void> {
  if (!plan.releaseBetweenStages || !FRESH_STAGES.has(stage)) return
  await queues.release()
  await threads.renew()
  collectGarbage()
}

/** Reaches the collector through a separate context, so that the caller's globals stay as they are. */
function collectGarbage(): void {
  v8.setFlagsFromString('--expose-gc')
  vm.runInNewContext('gc()')
  v8.setFlagsFromString('--no-expose-gc')
}
