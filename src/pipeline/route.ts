import { makeGridSpec, type GridSpec } from '../rows/grid-spec.js'
import type { LeadersTask } from '../tasks/route/leaders-task.js'
import { chooseQuality, type ChosenQuality } from './choose-quality.js'
import type { Sample } from './ingest/reservoir-sample.js'
import type { LayerInput, RoutedLayer } from './layer/layer.js'
import { leadersOf, routeLayer } from './layer/route-layer.js'
import { splitShards } from './layer/split-shards.js'
import type { PlannedRun, Uses } from './run/run.js'
import type { Ingested } from './ingest/ingested.js'

/** Level 0, routed; and the quality that its shards are built with. */
export interface Routed extends RoutedLayer {
  readonly chosen: ChosenQuality
}

/** Sends every vector to its shards. The trial that chooses the quality runs beside it: routing does not need to know. */
export async function route(run: PlannedRun, ingested: Ingested): Promise<Routed> {
  const { metric } = run.options
  const { dimensions, maxSquaredNorm } = ingested
  const sample = ingested.takeSample()
  const spec = makeGridSpec(metric, dimensions, sample, maxSquaredNorm)
  const layer = baseLayer(run, ingested, spec)
  const routing = routeShards(run, layer, sample)
  const trial = chooseQuality(run, spec, sample, maxSquaredNorm)
  // Both have ended before an error of one is thrown: neither works on in a build that closes.
  await Promise.allSettled([routing, trial])
  return { ...(await routing), chosen: await trial }
}

async function routeShards(run: PlannedRun, layer: LayerInput, sample: Sample): Promise<RoutedLayer> {
  const leaders = await leadersOf(run, layer, sampleVectors(sample))
  return splitShards(run, await routeLayer(run, layer, leaders))
}

/** Level 0: all vectors. */
function baseLayer({ log, plan }: Uses<'log' | 'plan'>, ingested: Ingested, spec: GridSpec): LayerInput {
  if (spec.kind === 'f32') {
    log.event(
      'f32-codes',
      'a few vectors are so much longer than the rest that a 16-bit grid would be too coarse: this build computes on ' +
        'float32, which is slower',
    )
  }
  return {
    name: 'base',
    rowKind: 'vectors',
    input: ingested.queue,
    ordinalCount: ingested.ordinalCount,
    vectorCount: ingested.count,
    dropped: ingested.ids.dropped,
    spec,
    geometry: plan.geometry,
  }
}

/** The reservoir sample as the leaders task takes it. */
function sampleVectors(sample: Sample): LeadersTask['sample'] {
  const { buffer, byteOffset, byteLength } = sample.rows
  return { kind: 'vectors', bytes: new Uint8Array(buffer, byteOffset, byteLength), count: sample.count }
}
