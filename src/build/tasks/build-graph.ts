import type { Kernel } from '../../../kernel/kernel.js'
import { engineByName } from '../../engines/engine-by-name.js'
import type { ShardGraph } from '../../engines/shard-engine.js'
import type { EngineName, Quality } from '../../types.js'
import type { CodeSpec } from '../code-spec.js'
import { codeOps } from './code-ops.js'
import { addCopies, findMasses } from './distinct-members.js'

/** What decides a graph besides its members. */
export interface GraphTask {
  readonly spec: CodeSpec
  readonly engine: EngineName
  readonly quality: Quality
  readonly m: number
  readonly seed: number
}

/** The engine's graph of the members; masses of identical ones are kept from it and linked afterwards. */
export async function buildGraph(kernel: Kernel, task: GraphTask, codes: number, count: number): Promise<ShardGraph> {
  const { codeDims, kind } = task.spec
  const { rowBytes } = codeOps(kernel, task.spec)
  const engine = engineByName(task.engine)
  const params = { m: task.m, seed: task.seed, quality: task.quality, maxDegree: 2 * task.m }
  const distinct = findMasses(kernel, codes, count, rowBytes)
  if (distinct === undefined) return engine.build(kernel, { count, codeDims, kind, codes }, params)
  const mark = kernel.mark()
  const compact = kernel.alloc(distinct.members.length * rowBytes)
  const from = kernel.u8(codes, count * rowBytes)
  const to = kernel.u8(compact, distinct.members.length * rowBytes)
  distinct.members.forEach((member, i) => {
    to.set(from.subarray(member * rowBytes, (member + 1) * rowBytes), i * rowBytes)
  })
  const shard = { count: distinct.members.length, codeDims, kind, codes: compact }
  const graph = await engine.build(kernel, shard, params)
  kernel.release(mark)
  return addCopies(graph, distinct, count, params.maxDegree)
}
