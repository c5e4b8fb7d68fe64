import { describe, expect, it } from 'vitest'
import { BufferPool } from '../../spill/buffer-pool.js'
import { SpillBudget } from '../../spill/spill-budget.js'
import { MemoryMonitor, type MemoryMonitorOptions } from '../../src/pipeline/run/memory-monitor.js'
import type { InsufficientMemoryError } from '../../src/errors.js'

const MB = 1e6

function watch(options: Partial<MemoryMonitorOptions> = {}): {
  monitor: MemoryMonitor
  budget: SpillBudget
  events: string[]
  pauses: boolean[]
  failures: InsufficientMemoryError[]
  use: (megabytes: number) => void
} {
  const budget = new SpillBudget({ limitBytes: 80 * MB, pool: new BufferPool() })
  const events: string[] = []
  const pauses: boolean[] = []
  const failures: InsufficientMemoryError[] = []
  const monitor = new MemoryMonitor({
    budgetBytes: 1000 * MB,
    cgroup: undefined,
    budget,
    queueBytes: 80 * MB,
    onEvent: (kind, message) => events.push(`${kind}: ${message}`),
    onPauseTasks: (paused) => pauses.push(paused),
    onFailure: (error) => failures.push(error),
    ...options,
  })
  let seconds = 0
  const use = (megabytes: number): void => monitor.sample(megabytes * MB, (seconds += 0.25), 'shards')
  return { monitor, budget, events, pauses, failures, use }
}

const GROUP = { version: 2, directory: '/g', limitBytes: 500 * MB } as const

describe('MemoryMonitor', () => {
  it('does nothing while there is room', () => {
    const { monitor, budget, events, pauses, use } = watch()
    use(700)
    expect([events, pauses]).toEqual([[], []])
    expect(budget.limitBytes).toBe(80 * MB)
    expect(monitor.relief()).toBeUndefined()
  })

  it('at 75% lets queues grow no more, and gives them back their room below', () => {
    const { budget, events, use } = watch()
    use(760)
    expect(budget.limitBytes).toBe(20 * MB)
    expect(events).toEqual(['memory-elevated: 76% of 1000 MB are in use: queues spill early'])
    use(600)
    expect(budget.limitBytes).toBe(80 * MB)
  })

  it('counts what other builds of the process may hold as theirs', () => {
    let others = 1000 * MB
    const { events, use } = watch({ othersBytes: () => others })
    use(1400)
    expect(events).toEqual([])
    use(1520)
    expect(events).toEqual(['memory-elevated: 76% of 2000 MB are in use: queues spill early'])
    others = 0
    use(1000)
    expect(events[1]).toMatch(/^memory-critical: 100% of 1000 MB/)
  })

  it('at 90% lets no new task start beside a running one, until it falls', () => {
    const { monitor, pauses, use } = watch()
    use(910)
    expect(monitor.pausesTasks).toBe(true)
    use(960)
    use(910)
    expect(pauses).toEqual([true])
    use(860)
    expect(pauses).toEqual([true, false])
  })

  it('at 95% has ingest wait, and everything written, until memory comes back', async () => {
    const { monitor, budget, use } = watch()
    use(960)
    expect(budget.limitBytes).toBe(0)
    let relieved = false
    const relief = monitor.relief()?.then(() => (relieved = true))
    use(955)
    await Promise.resolve()
    expect(relieved).toBe(false)
    use(500)
    await relief
    expect(monitor.report.pressure).toEqual({ elevated: 0, high: 0, critical: 1, ingestPauses: 1 })
  })

  it('has ingest wait no longer than memory can be expected to take, and not again until it fell', async () => {
    const { monitor, use } = watch()
    use(960)
    const relief = monitor.relief()
    for (let samples = 0; samples < 8; samples++) {
      use(960)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await relief
    expect(monitor.relief()).toBeUndefined()
    use(500)
    use(960)
    expect(monitor.relief()).toBeDefined()
    monitor.close()
  })

  it('lets go who waits when the build ends', async () => {
    const { monitor, use } = watch()
    use(960)
    const relief = monitor.relief()
    monitor.close()
    await relief
  })

  it('counts every change and tells only the first few', () => {
    const { monitor, events, use } = watch()
    for (let round = 0; round < 20; round++) {
      use(800)
      use(100)
    }
    expect(monitor.report.pressure.elevated).toBe(20)
    expect(events).toHaveLength(5)
  })

  it('minds the cgroup, which may hold more than the process', () => {
    const { monitor, use } = watch({ cgroup: GROUP, cgroupBytes: () => 460 * MB })
    use(300)
    expect(monitor.report.pressure.high).toBe(1)
    expect(monitor.report.timeline).toMatchObject([{ rssBytes: 300 * MB, cgroupBytes: 460 * MB, pressure: 'high' }])
  })

  it('ends a build that the kernel would kill next, with the numbers', () => {
    const { failures, use } = watch({ cgroup: GROUP, cgroupBytes: () => 495 * MB })
    for (let samples = 0; samples < 3; samples++) use(480)
    expect(failures).toEqual([])
    for (let samples = 0; samples < 3; samples++) use(480)
    expect(failures).toHaveLength(1)
    expect(failures[0].details).toMatchObject({ availableBytes: 500 * MB, stage: 'shards' })
  })

  it('does not end one for a moment at the limit', () => {
    let used = 495 * MB
    const { failures, use } = watch({ cgroup: GROUP, cgroupBytes: () => used })
    for (let samples = 0; samples < 20; samples++) {
      used = samples % 4 === 3 ? 300 * MB : 495 * MB
      use(300)
    }
    expect(failures).toEqual([])
  })
})
