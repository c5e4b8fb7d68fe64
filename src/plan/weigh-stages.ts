import { BUFFER_CLASS_OVERHEAD } from './weigh-buffers.js'
import {
  nodeByOrdinalBytes,
  type BuildSizes,
  type PlannedStage,
  type StageMemories,
  type StageMemory,
} from './stage-memory.js'

/** RSS of Node 20 with this package loaded and one coordinator thread. Measured: 62 MB, 70 with a heap in use. */
const NODE_BYTES = 74e6
/**
 * The same of a process that runs tasks for builds on other hosts, with what speaks to Redis and no thread. Measured: 84 MB,
 * 90 at work.
 */
export const HOST_PROCESS_BYTES = 90e6
/** RSS that one idle worker thread adds, with kernel and stages loaded. Measured: 19 MB, 24 with code that is hot. */
const WORKER_BYTES = 25e6
/** Chunks in which files are read, per thread. */
const READ_BUFFER_BYTES = 8 * 2 ** 20

/** The stages of one candidate plan, without queue buffers and grid rows. Bytes. */
export interface StageWeights {
  readonly fixed: readonly { readonly name: PlannedStage; readonly bytes: number; readonly memory: StageMemory }[]
  readonly taskOutputBytes: number
  /** The highest of the stages that also hold queue buffers. */
  readonly queuedBytes: number
  readonly proveBytes: number
  readonly searchBytes: number
  /** All stages together, when none releases its memory. */
  readonly everyStageBytes: number
  readonly spillBytes: number
  /** As in BuildPlan. */
  readonly hostBytes: number
  readonly taskBytes: number
}

export function weighStages(sizes: BuildSizes, memories: StageMemories, threads: number): StageWeights {
  const stages: { name: PlannedStage; memory: StageMemory }[] = []
  for (const [name, memoryOf] of memories) {
    const memory = memoryOf(sizes)
    if (memory !== undefined) stages.push({ name, memory })
  }
  const sum = (of: (memory: StageMemory) => number): number => stages.reduce((all, { memory }) => all + of(memory), 0)
  const taskOutputBytes = Math.ceil(Math.max(0, ...stages.map(({ memory }) => memory.output ?? 0)))
  // One output per running task, one for a task that waits for a thread, and one spare.
  const outputBytes = (threads + 2) * taskOutputBytes * BUFFER_CLASS_OVERHEAD
  const fixed = stages.map(({ name, memory }) => ({ name, memory, bytes: fixedBytes(memory, threads, outputBytes) }))
  const bytesOf = (stage: PlannedStage): number => fixed.find(({ name }) => name === stage)?.bytes ?? 0
  const searchBytes = sum(({ ifRoom = 0 }) => ifRoom)
  return {
    fixed,
    taskOutputBytes,
    queuedBytes: Math.max(...fixed.map(({ memory, bytes }) => (memory.usesQueues === true ? bytes : 0))),
    proveBytes: bytesOf('prove'),
    searchBytes,
    everyStageBytes:
      NODE_BYTES +
      nodeByOrdinalBytes(sizes) +
      outputBytes +
      threads * (WORKER_BYTES + sum(({ task = 0, reusesThreads = false }) => (reusesThreads ? 0 : task))) +
      sum(({ shared = 0 }) => shared) +
      searchBytes,
    spillBytes: sum(({ spills = 0 }) => spills),
    hostBytes: Math.ceil(
      HOST_PROCESS_BYTES + nodeByOrdinalBytes(sizes) + Math.max(0, ...stages.map(({ memory }) => memory.shared ?? 0)),
    ),
    taskBytes: Math.ceil(Math.max(0, ...stages.map(({ memory }) => taskBytes(memory) + (memory.output ?? 0)))),
  }
}

/** One task and its thread; 0 for a stage without tasks. */
function taskBytes({ task, readsFiles = false }: StageMemory): number {
  return task === undefined ? 0 : WORKER_BYTES + task + (readsFiles ? READ_BUFFER_BYTES : 0)
}

function fixedBytes(memory: StageMemory, threads: number, outputBytes: number): number {
  const { held, shared = 0, once = 0, output } = memory
  return NODE_BYTES + held + shared + (output === undefined ? 0 : outputBytes) + threads * taskBytes(memory) + once
}
