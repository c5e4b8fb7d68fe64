import type { BuildReport } from '../api/report.js'
import type { LinkedIndex } from './linked-index.js'
import { prove } from './prove.js'
import { publish } from './publish.js'
import { proofCodes, quantize } from './quantize.js'
import type { PlannedRun } from './run/run.js'

/** The last stages, the same for a build and an import: quantize, prove, publish. */
export async function finish(run: PlannedRun, linked: LinkedIndex): Promise<BuildReport> {
  const { metric, m } = run.options
  const { ingested, vectors, links, upper } = linked
  const { count, dimensions, maxSquaredNorm } = ingested
  const quantized = await quantize(run, linked.nodes.layout, vectors.files, { count, dimensions })
  const graph = {
    count,
    dimensions,
    m,
    metric,
    vectors: vectors.files,
    links: links.files,
    codes: proofCodes(quantized, dimensions),
    entryPoint: upper.entryPoint,
    upperLevels: upper.levels,
  }
  const proof = await run.stage('prove', () => prove(run, graph, links.checksums, maxSquaredNorm, linked.origin.chosen))
  return publish(run, { ...linked, quantized, proof })
}
