import type { BuildOptions } from '../api/build.js'
import type { BuildReport } from '../api/report.js'
import type { ResumableSource, VectorSource } from '../api/vectors.js'
import { assignNodes } from './assign-nodes.js'
import { indexFields } from './fields/index-fields.js'
import { finish } from './finish.js'
import { ingest } from './ingest/ingest.js'
import { linkShards } from './link-shards.js'
import { linkUpperLevels } from './link-upper-levels.js'
import { mergeSegments } from './merge-segments.js'
import { graphOrigin } from './report/graph-origin.js'
import { route } from './route.js'
import { describeSource } from './run/describe-source.js'
import { assertFitsChanges } from './run/fits-changes.js'
import type { LiveSource } from './run/source-of-run.js'
import { withRun } from './run/with-run.js'

/**
 * Builds one index from a stream of vectors and publishes it as the live generation of `options.path`.
 *
 * Rejects with a ShardloomError (see `code`). The previous live generation then stays live and unchanged. The stages
 * run in the order of the picture in ARCHITECTURE.md; disk-backed queues connect them.
 *
 * A build can be resumed when its source is a function that takes the ordinal to begin with. If such a build is
 * interrupted or its process dies, its finished work stays in files, and the same call continues from there.
 * `readVectors` makes such a source from files.
 */
export function buildIndex(source: VectorSource | ResumableSource, options: BuildOptions): Promise<BuildReport> {
  return buildGeneration(source, options)
}

/**
 * As `buildIndex`. `live`: what the source contains of the index itself; without it, the source replaces all changes that
 * were acknowledged before the build began, and those that were being written then.
 */
export async function buildGeneration(
  source: VectorSource | ResumableSource,
  options: BuildOptions,
  live: LiveSource = {},
): Promise<BuildReport> {
  const described = await describeSource(source, options)
  return withRun(described.options, { isResumable: described.isResumable, ...live }, async (open) => {
    if (described.note !== undefined) open.log.event('count', described.note)
    const ingested = await open.stage('ingest', () => ingest(open, described.read))
    await assertFitsChanges(open.options.path, { dimensions: ingested.dimensions, metric: open.options.metric })
    const run = open.plan(ingested)
    const routed = await run.stage('route', () => route(run, ingested))
    const nodes = await run.stage('assign nodes', () => assignNodes(run, routed, ingested))
    const fieldFiles = await indexFields(run, nodes, ingested)
    const shards = await run.stage('shards', () => linkShards(run, routed, nodes))
    const merged = await run.stage('merge', () => mergeSegments(run, routed, nodes, shards))
    const upper = await run.stage('upper levels', () => linkUpperLevels(run, routed, nodes, shards))
    return finish(run, {
      ingested,
      nodes,
      fieldFiles,
      vectors: shards.vectors,
      ...merged,
      upper,
      origin: graphOrigin(routed),
    })
  })
}
