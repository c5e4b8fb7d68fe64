import { planBuild, type BuildPlan, type PlanFacts } from '../plan/plan-build.js'
import type { StageMemories } from '../plan/stage-memory.js'
import { fieldsMemory } from './fields/index-fields.js'
import { ingestMemory } from './ingest/ingest.js'
import { shardsMemory } from './link-shards.js'
import { upperLevelsMemory } from './link-upper-levels.js'
import { mergeMemory } from './merge-segments.js'
import { proveMemory } from './prove.js'
import { quantizeMemory } from './quantize.js'
import { routeMemory } from './route.js'

const STAGE_MEMORIES: StageMemories = new Map([
  ['ingest', ingestMemory],
  ['route', routeMemory],
  ['fields', fieldsMemory],
  ['shards', shardsMemory],
  ['merge', mergeMemory],
  ['upper levels', upperLevelsMemory],
  ['quantize', quantizeMemory],
  ['prove', proveMemory],
])

/** The plan of a build with these stages. Throws InsufficientMemoryError when it cannot fit. */
export function planStages(facts: PlanFacts): BuildPlan {
  return planBuild(facts, STAGE_MEMORIES)
}
