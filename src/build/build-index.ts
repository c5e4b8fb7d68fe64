import type { BuildOptions, BuildReport, ResumableSource, VectorSource } from '../types.js'
import { makeCodeSpec } from './code-spec.js'
import { chooseQuality } from './choose-quality.js'
import { makeCodes, proofCodes } from './codes.js'
import { createSegments } from './create-segments.js'
import { settleSource } from './described-source.js'
import { ingest } from './ingest.js'
import { baseLayer, sampleVectors, type RoutedLayer } from './layer.js'
import { dropCodes } from './code-store.js'
import { mergeSegments } from './merge.js'
import { numberNodes } from './number.js'
import { openBuild } from './open-build.js'
import { prove } from './prove.js'
import { publish } from './publish.js'
import { releaseMemory } from './release-memory.js'
import { openUnitLog, routingDigest } from './resume.js'
import { chooseLeaders, routeLayer } from './route.js'
import { buildShards } from './shards.js'
import { splitShards } from './split-shards.js'
import { shardSizes } from './shard-sizes.js'
import { buildUpperLevels } from './upper-levels.js'
import { writeIds } from './write-ids.js'

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
  const settled = await settleSource(source, options)
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
      const spec = makeCodeSpec(context.options.metric, ingested.dimensions, sample, ingested.maxSquaredNorm)
      const layer = baseLayer(context, ingested, spec)
      const route = async (): Promise<RoutedLayer> => {
        const leaders = await chooseLeaders(context, layer, sampleVectors(sample))
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

    const numbered = await log.stage('number', async () => {
      const numbering = numberNodes(routed)
      return { ...numbering, idFiles: await writeIds(context, ingested.ids, numbering, shape) }
    })

    const units = openUnitLog(context, () => routingDigest(routed, numbered, spec, quality))
    const keepData = { keepData: units !== undefined }
    const vectors = await createSegments(generationDir, 'vectors', numbered.layout, shape, keepData)
    const built = await log.stage('shards', () => buildShards(context, routed, numbered, { quality, vectors, units }))

    await releaseMemory(context)
    const links = await createSegments(generationDir, 'links', numbered.layout, shape, keepData)
    const degreeSum = await log.stage('merge', () =>
      mergeSegments(
        context,
        { name: 'base', spec, layout: numbered.layout, maxDegree: 2 * shape.m },
        built,
        { kind: 'segments', ...links },
        units,
      ),
    )

    await releaseMemory(context)
    const upper = await log.stage('upper levels', () =>
      buildUpperLevels(context, { nodeOfOrdinal: numbered.nodeOfOrdinal, spec, codes: built.codes, quality }),
    )

    dropCodes(built.codes)
    await releaseMemory(context)
    const codes = await makeCodes(context, numbered.layout, vectors.files, shape)
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
