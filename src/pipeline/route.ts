import { metricNote } from './report/metric-note.js'
import { makeGridSpec, type GridSpec } from '../rows/grid-spec.js'
import { leadersTaskBytes, type LeadersTask } from '../tasks/route/leaders-task.js'
import { chooseQuality, type ChosenQuality } from './choose-quality.js'
import type { Sample } from './ingest/reservoir-sample.js'
import type { LayerInput, RoutedLayer } from './layer/layer.js'
import { leadersOf, routeLayer } from './layer/route-layer.js'
import { splitShards } from './layer/split-shards.js'
import type { PlannedRun, Uses } from './run/run.js'
import type { Ingested } from './ingest/ingested.js'
import { nodeByOrdinalBytes, type BuildSizes, type StageMemory } from '../plan/stage-memory.js'
import { trialTaskBytes } from '../tasks/link/trial-task.js'
import { leaderBytes, routeTaskMemory } from '../tasks/route/route-task.js'
import { sampleBytes } from './ingest/reservoir-sample.js'

/** The routed level 0, and the quality of its shards. */
export interface Routed extends RoutedLayer {
  readonly chosen: ChosenQuality
}

/**
 * Sends every vector to its shards. The trial that chooses the quality runs at the same time, because routing does not
 * depend on it.
 */
export async function route(run: PlannedRun, ingested: Ingested): Promise<Routed> {
  const { metric } = run.options
  const { dimensions, maxSquaredNorm } = ingested
  const sample = ingested.takeSample()
  const note = metricNote(metric, sample)
  if (note !== undefined) run.log.event('metric', note)
  const spec = makeGridSpec(metric, dimensions, sample, maxSquaredNorm)
  const layer = baseLayer(run, ingested, spec)
  const routing = routeShards(run, layer, sample)
  const trial = chooseQuality(run, spec, sample, maxSquaredNorm)
  // Wait for both before an error of one is thrown, so that neither runs on while the build closes.
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

/** The reservoir sample in the form that the leaders task takes. */
function sampleVectors(sample: Sample): LeadersTask['sample'] {
  const { buffer, byteOffset, byteLength } = sample.rows
  return { kind: 'vectors', bytes: new Uint8Array(buffer, byteOffset, byteLength), count: sample.count }
}

/** Sample, leaders and home by ordinal; in one thread each the trial, which runs beside routing and the choice of leaders. */
export function routeMemory(sizes: BuildSizes): StageMemory {
  const { count, vectorBytes, gridRowBytes, geometry } = sizes
  const { task, output } = routeTaskMemory(sizes)
  return {
    held: sampleBytes(sizes) + leaderBytes(sizes) + nodeByOrdinalBytes(sizes),
    task,
    once: Math.max(0, trialTaskBytes(sizes) - task) + Math.max(0, leadersTaskBytes(sizes) - task),
    output,
    usesQueues: true,
    spills: count * (vectorBytes + (geometry.overlap - 1) * gridRowBytes),
  }
}
