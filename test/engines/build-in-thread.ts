/** Thread entry for the tests: builds the shards of `workerData` one after the other, and posts the last graph. */

import { parentPort, workerData } from 'node:worker_threads'
import { Kernel } from '../../kernel/kernel.js'
import { engineByName } from '../../src/engines/engine-by-name.js'
import type { EngineName } from '../../src/api/report.js'
import { detached } from '../../src/engines/shard-engine.js'
import { PARAMS, putShard, randomRows } from '../fixtures/shards.js'

export interface ThreadJob {
  readonly engine: EngineName
  readonly gridDims: number
  readonly shards: readonly { readonly count: number; readonly seed: number }[]
}

const job = workerData as ThreadJob
const engine = engineByName(job.engine)
for (const { count, seed } of job.shards) {
  const kernel = Kernel.create()
  const shard = putShard(kernel, randomRows(count, job.gridDims, seed), job.gridDims, 'i16')
  const graph = await engine.build(kernel, shard, PARAMS)
  parentPort?.postMessage(detached(graph))
}
