import type { BuildSizes } from '../plan/stage-memory.js'
import type { RowFile } from '../rows/file-rows.js'
import { longestCount, type LongestRows } from '../tasks/link/link-longest.js'
import type { LongestResult, LongestTask } from '../tasks/link/longest-task.js'
import type { Uses } from './run/run.js'
import { gatherVectors } from './segments/gather-vectors.js'

/** Lengths are as good as equal when the longest is no longer than this many times the mean one. */
const EVEN = 1.05

/**
 * The longest of the finished vectors, by node. Undefined when all lengths are about equal: inner products then order
 * as distances do.
 */
export async function findLongestRows(
  { tasks }: Uses<'tasks'>,
  vectors: readonly RowFile[],
  { dimensions }: { readonly dimensions: number },
): Promise<LongestRows | undefined> {
  const count = vectors.reduce((sum, file) => sum + file.count, 0)
  const wanted = longestCount(count, dimensions)
  let lengthSum = 0
  const found: { node: number; squared: number }[] = []
  await tasks.runAll<RowFile, LongestResult>(
    vectors,
    (file) => {
      const task: LongestTask = { vectors: file, dimensions, wanted }
      return tasks.run('longest', task, `longest of ${file.path}`)
    },
    (result) => {
      lengthSum += result.lengthSum
      result.nodes.forEach((node, i) => found.push({ node, squared: result.squaredNorms[i] }))
      found.sort((a, b) => b.squared - a.squared || a.node - b.node)
      found.length = Math.min(found.length, wanted)
    },
  )
  if (Math.sqrt(found[0].squared) <= (EVEN * lengthSum) / count) return undefined
  const nodes = Uint32Array.from(found, ({ node }) => node).sort()
  return { nodes, rows: tasks.share(await gatherVectors({ tasks }, nodes, vectors, dimensions)), dimensions }
}

/** The rows, and what the tasks tell of them. */
export function longestBytes({ count, dimensions }: BuildSizes): number {
  return longestCount(count, dimensions) * (4 * dimensions + 100)
}
