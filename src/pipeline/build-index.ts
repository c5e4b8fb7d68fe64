import type { BuildOptions } from '../api/build.js'
import type { BuildReport } from '../api/report.js'
import type { ResumableSource, VectorSource } from '../api/vectors.js'
import { assignNodes } from './assign-nodes.js'
import { finish } from './finish.js'
import { ingest } from './ingest/ingest.js'
import { linkShards } from './link-shards.js'
import { linkUpperLevels } from './link-upper-levels.js'
import { mergeSegments } from './merge-segments.js'
import { graphOrigin } from './report/graph-origin.js'
import { route } from './route.js'
import { describeSource } from './run/describe-source.js'
import { withRun } from './run/with-run.js'

/**
 * Builds one index out of a stream of vectors and publishes it as the live generation of `options.path`.
 *
 * Rejects with a ShardloomError (see `code`); the generation that was live before then stays live and untouched.
 * The stages, in order, are those of the picture in ARCHITECTURE.md; between them flow disk-backed queues.
 *
 * With a source that is a function of the ordinal to begin with, a build that was interrupted, or whose process died,
 * leaves its finished work in files, and the same call goes on from there. `readVectors` makes such a source of files.
 */
export async function buildIndex(source: VectorSource | ResumableSource, options: BuildOptions): Promise<BuildReport> {
  const described = await describeSource(source, options)
  return withRun(described.options, described.isResumable, async (open) => {
    const ingested = await open.stage('ingest', () => ingest(open, described.read))
    const run = open.plan(ingested)
    const routed = await run.stage('route', () => route(run, ingested))
    const nodes = await run.stage('assign nodes', () => assignNodes(run, routed, ingested))
    const shards = await run.stage('shards', () => linkShards(run, routed, nodes))
    const merged = await run.stage('merge', () => mergeSegments(run, routed, nodes, shards))
    const upper = await run.stage('upper levels', () => linkUpperLevels(run, routed, nodes, shards))
    return finish(run, { ingested, nodes, vectors: shards.vectors, ...merged, upper, origin: graphOrigin(routed) })
  })
}
