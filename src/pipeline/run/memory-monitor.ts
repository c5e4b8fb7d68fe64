import { Signal } from '../../../spill/signal.js'
import type { SpillBudget } from '../../../spill/spill-budget.js'
import { InsufficientMemoryError } from '../../errors.js'
import { unreclaimableBytes, type MemoryCgroup } from '../../memory/memory-cgroup.js'
import { MemoryTimeline } from '../../memory/memory-timeline.js'
import {
  isAtLeast,
  PRESSURE_SHARES,
  pressureLevel,
  queueLimit,
  type PressureLevel,
} from '../../memory/pressure-level.js'
import type { MemoryReport, StageName } from '../../api/report.js'

export interface MemoryMonitorOptions {
  readonly budgetBytes: number
  /** What other builds may hold now: the memory of the process is theirs too. Default none. */
  readonly othersBytes?: () => number
  /**
   * The cgroup that limits this process, if any. At its limit the kernel kills the process without an error message.
   */
  readonly cgroup: MemoryCgroup | undefined
  readonly budget: SpillBudget
  /** Queue buffers before the final plan is known. */
  readonly queueBytes: number
  readonly onEvent: (kind: string, message: string) => void
  /** Called with `true` when no new task may start beside a running one, and with `false` when this ends. */
  readonly onPauseTasks: (paused: boolean) => void
  /** Called when the build cannot continue. */
  readonly onFailure: (error: InsufficientMemoryError) => void
  readonly cgroupBytes?: (group: MemoryCgroup) => number | undefined
}

/** Every change of level is counted; the first TOLD_EVENTS of each level are also events. */
const TOLD_EVENTS = 5
/**
 * After FATAL_SAMPLES samples in a row at this share of the cgroup's limit, with no queue memory left to release, the
 * kernel is likely to kill the process next.
 */
const FATAL_SHARE = 0.98
const FATAL_SAMPLES = 4
/**
 * How long ingest waits for memory, which may not become available. It waits once each time the level is reached: a
 * process that is above its budget for other reasons must not wait at every vector. Vectors read after that are spilled
 * as they arrive.
 */
const RELIEF_SAMPLES = 8

/**
 * Watches the memory of the process and acts on the level of pressure. From 75% of the budget on, queues stop growing
 * and spill early. From 90% on, no new task starts beside a running one. From 95% on, ingest waits while everything in
 * memory is spilled. The owner calls it with every sample of RSS; it has no timer.
 */
export class MemoryMonitor {
  readonly #options: MemoryMonitorOptions
  readonly #timeline = new MemoryTimeline()
  readonly #sampled = new Signal()
  readonly #entered: Record<Exclude<PressureLevel, 'normal'>, number> = { elevated: 0, high: 0, critical: 0 }
  #level: PressureLevel = 'normal'
  #plannedQueueBytes: number
  #fatalSamples = 0
  #waitedInVain = false
  #pauses = 0
  #closed = false

  constructor(options: MemoryMonitorOptions) {
    this.#options = options
    this.#plannedQueueBytes = options.queueBytes
  }

  /** What all builds of the process may hold. */
  get #processBytes(): number {
    const { budgetBytes, othersBytes = () => 0 } = this.#options
    return budgetBytes + othersBytes()
  }

  get level(): PressureLevel {
    return this.#level
  }

  get pausesTasks(): boolean {
    return isAtLeast(this.#level, 'high')
  }

  /** The plan's queue buffers: the limit of the queues when there is no pressure. */
  set plannedQueueBytes(bytes: number) {
    this.#plannedQueueBytes = bytes
    this.#applyQueueLimit()
  }

  sample(rssBytes: number, atSeconds: number, stage: StageName, vectorsDone?: number): void {
    if (this.#closed) return
    const { cgroup, budget, cgroupBytes: readCgroup = unreclaimableBytes } = this.#options
    const cgroupBytes = cgroup && readCgroup(cgroup)
    const cgroupShare = cgroup === undefined ? 0 : (cgroupBytes ?? 0) / cgroup.limitBytes
    const share = Math.max(rssBytes / this.#processBytes, cgroupShare)
    const before = this.#level
    this.#level = pressureLevel(share, before)
    if (this.#level !== before) this.#changed(before, share)
    if (this.#level !== 'critical') this.#waitedInVain = false
    this.#applyQueueLimit()
    this.#timeline.add({
      atSeconds: Math.round(atSeconds * 100) / 100,
      stage,
      rssBytes,
      ...(cgroupBytes !== undefined && { cgroupBytes }),
      queueBytes: budget.memoryBytes,
      spilledBytes: budget.spilledBytes,
      ...(vectorsDone !== undefined && { vectorsDone }),
      pressure: this.#level,
    })
    this.#fatalSamples = cgroupShare >= FATAL_SHARE && budget.memoryBytes === 0 ? this.#fatalSamples + 1 : 0
    if (this.#fatalSamples === FATAL_SAMPLES) this.#fail(cgroupBytes ?? 0, stage)
    this.#sampled.notify()
  }

  /**
   * Undefined below 95%, when ingest does not wait. Otherwise resolves when memory is available again, or after
   * RELIEF_SAMPLES samples.
   */
  relief(): Promise<void> | undefined {
    return this.#level === 'critical' && !this.#waitedInVain ? this.#relief() : undefined
  }

  async #relief(): Promise<void> {
    this.#pauses++
    for (let samples = 0; samples < RELIEF_SAMPLES && !this.#closed; samples++) {
      await this.#sampled.next()
      if (!isAtLeast(this.#level, 'critical')) return
    }
    this.#waitedInVain = true
  }

  get report(): MemoryReport {
    return { pressure: { ...this.#entered, ingestPauses: this.#pauses }, timeline: this.#timeline.samples }
  }

  /** Ends every wait. */
  close(): void {
    this.#closed = true
    this.#sampled.notify()
  }

  #changed(before: PressureLevel, share: number): void {
    const level = this.#level
    const { onEvent, onPauseTasks } = this.#options
    const rises = isAtLeast(level, before)
    if (rises && level !== 'normal') this.#entered[level]++
    if (this.pausesTasks !== isAtLeast(before, 'high')) onPauseTasks(this.pausesTasks)
    if (rises && level !== 'normal' && this.#entered[level] <= TOLD_EVENTS) {
      const percent = Math.round(100 * share)
      onEvent(
        `memory-${level}`,
        `${percent}% of ${Math.round(this.#processBytes / 1e6)} MB are in use: ${WHAT_IS_DONE[level]}`,
      )
    }
  }

  #applyQueueLimit(): void {
    const { budget } = this.#options
    const bytes = queueLimit(this.#level, this.#plannedQueueBytes, budget.memoryBytes)
    if (bytes !== budget.limitBytes) budget.limitBytes = bytes
  }

  #fail(usedBytes: number, stage: StageName): void {
    const { cgroup, onFailure } = this.#options
    onFailure(
      new InsufficientMemoryError({
        neededBytes: Math.ceil(usedBytes / PRESSURE_SHARES.critical),
        availableBytes: cgroup?.limitBytes ?? 0,
        stage,
        help:
          `the cgroup's memory is used up with all queues on disk, and its kernel would kill the process next: ` +
          `pass a smaller budget (--memory), fewer threads (--threads), or raise the cgroup's limit`,
      }),
    )
  }
}

const WHAT_IS_DONE: Readonly<Record<Exclude<PressureLevel, 'normal'>, string>> = {
  elevated: 'queues spill early',
  high: 'no new task starts while one runs',
  critical: 'reading pauses and queues are written out',
}
