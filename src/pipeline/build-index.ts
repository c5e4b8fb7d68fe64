import type { BuildOptions } from '../api/build.js'
import type { BuildReport } from '../api/report.js'
import type { ResumableSource, VectorSource } from '../api/vectors.js'
import { makeGridSpec } from '../rows/grid-spec.js'
import { chooseQuality } from './choose-quality.js'
import { quantize, proofCodes } from './quantize.js'
import { createSegments } from './layer/create-segments.js'
import { describeSource } from './run/describe-source.js'
import { ingest } from './ingest/ingest.js'
import { type RoutedLayer } from './layer/layer.js'
import { dropGrid } from '../rows/grid-store.js'
import { mergeSegments } from './merge-segments.js'
import { assignNodes } from './assign-nodes.js'
import { openBuild } from './run/open-build.js'
import { prove } from './prove.js'
import { publish } from './publish.js'
import { releaseMemory } from './run/release-memory.js'
import { leadersOf, routeLayer, baseLayer, sampleVectors } from './route.js'
import { linkShards } from './link-shards.js'
import { splitShards } from './split-shards.js'
import { shardSizes } from './layer/shard-sizes.js'
import { linkUpperLevels } from './link-upper-levels.js'
import { writeIds } from './layer/write-ids.js'
import { openCheckpoints, routingDigest } from './resume/checkpoints.js'

/**
 * Builds one index out of a stream of vectors and publishes it as the live generation of `options.path`.
 *
 * Rejects with a ShardloomError (see `code`); the generation that was live before then stays live and untouched.
 * The stages, in order, are those of the picture in ARCHITECTURE.md; between them flow disk-backed queues.
 *
 * With a source that is a function of the ordinal to begin with, a build that was interrupted, or whose process died,
 * leaves what is finished in files, and the same call goes on from there. `readVectors` gives such a source out of files.
 */
export async function buildIndex(source: VectorSource | ResumableSource, options: BuildOptions): Promise<BuildReport> {
  const settled = await describeSource(source, options)
  const build = await openBuild(settled.options, settled.isResumable)
  const { log } = build
  let failure: unknown
  try {
    const ingested = await log.stage('ingest', () => ingest(build.context, settled.read))
    const context = await build.plan(ingested)
    const { generationDir } = context.paths
    const shape = { count: ingested.count, dimensions: ingested.dimensions, m: context.options.m }

    const routed = await log.stage('route', async () => {
      const sample = ingested.takeSample()
      const spec = makeGridSpec(context.options.metric, ingested.dimensions, sample, ingested.maxSquaredNorm)
      const layer = baseLayer(context, ingested, spec)
      const route = async (): Promise<RoutedLayer> => {
        const leaders = await leadersOf(context, layer, sampleVectors(sample))
        return splitShards(context, await routeLayer(context, layer, leaders))
      }
      // Routing does not ask for the quality: its trial runs beside it.
      const trial = chooseQuality(context, spec, sample, ingested.maxSquaredNorm)
      const routing = route()
      // Both have ended before an error of one is thrown: neither works on in a build that closes.
      await Promise.allSettled([routing, trial])
      return { ...(await routing), chosen: await trial }
    })
    const { spec } = routed.layer
    const { quality } = routed.chosen

    const numbered = await log.stage('assign nodes', async () => {
      const numbering = assignNodes(routed)
      return { ...numbering, idFiles: await writeIds(context, ingested.ids, numbering, shape) }
    })

    const checkpoints = openCheckpoints(context, () => routingDigest(routed, numbered, spec, quality))
    const keepData = { keepData: checkpoints !== undefined }
    const vectors = await createSegments(generationDir, 'vectors', numbered.layout, shape, keepData)
    const built = await log.stage('shards', () =>
      linkShards(context, routed, numbered, { quality, vectors, checkpoints }),
    )

    await releaseMemory(context)
    const links = await createSegments(generationDir, 'links', numbered.layout, shape, keepData)
    const degreeSum = await log.stage('merge', () =>
      mergeSegments(
        context,
        { name: 'base', spec, layout: numbered.layout, maxDegree: 2 * shape.m },
        built,
        { kind: 'segments', ...links },
        checkpoints,
      ),
    )

    await releaseMemory(context)
    const upper = await log.stage('upper levels', () =>
      linkUpperLevels(context, { nodeOfOrdinal: numbered.nodeOfOrdinal, spec, codes: built.codes, quality }),
    )

    dropGrid(built.codes)
    await releaseMemory(context)
    const codes = await quantize(context, numbered.layout, vectors.files, shape)
    if (codes !== undefined) await releaseMemory(context)
    const proof = await log.stage('prove', () =>
      prove(
        context,
        {
          ...shape,
          metric: context.options.metric,
          vectors: vectors.files,
          links: links.files,
          codes: proofCodes(codes, shape.dimensions),
          entryPoint: upper.entryPoint,
          upperLevels: upper.levels,
        },
        links.checksums,
        ingested.maxSquaredNorm,
      ),
    )

    return await publish(build, context, {
      ingested,
      shardCount: routed.shardCount,
      shardSizes: shardSizes(routed),
      chosen: routed.chosen,
      splitShards: routed.splitShards,
      averageDegree: degreeSum / ingested.count,
      proof,
      upper,
      segments: { vectors, links, codes, ids: numbered.idFiles },
    })
  } catch (error) {
    failure = error
    throw error
  } finally {
    await build.close(failure)
  }
}
