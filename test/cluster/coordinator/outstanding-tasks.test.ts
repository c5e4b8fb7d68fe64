import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OutstandingTasks, type OutstandingTask } from '../../../src/cluster/coordinator/outstanding-tasks.js'

/** The plain twin: every attempt that ever was, in a list. */
interface TwinAttempt {
  readonly id: string
  readonly task: number
  state: 'waiting' | 'running' | 'returned' | 'over'
  host: string | undefined
}

const HOSTS = ['a', 'b', 'c']
/** Which of the attempts, or tasks, that there are. */
const which = fc.nat(1000)
const steps = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('open' as const) }),
    fc.record({ do: fc.constantFrom('give' as const, 'close' as const), which }),
    fc.record({
      do: fc.constant('start' as const),
      which,
      host: fc.option(fc.constantFrom(...HOSTS), { nil: undefined }),
    }),
    fc.record({ do: fc.constantFrom('wait' as const, 'return' as const, 'fail' as const, 'lose' as const), which }),
  ),
  { maxLength: 60 },
)

describe('OutstandingTasks', () => {
  it('agrees with a list of all attempts after any calls', () => {
    fc.assert(
      fc.property(steps, (calls) => {
        const real = new OutstandingTasks()
        const tasks: { task: OutstandingTask; isOpen: boolean; failures: number }[] = []
        const twin: TwinAttempt[] = []
        let now = 0
        for (const call of calls) {
          now++
          if (call.do === 'open') {
            tasks.push({ task: real.open('route', `task ${tasks.length}`), isOpen: true, failures: 0 })
          } else if (call.do === 'give' || call.do === 'close') {
            if (tasks.length === 0) continue
            const number = call.which % tasks.length
            const entry = tasks[number]
            if (call.do === 'give') {
              const made = real.give(entry.task)
              const before = twin.filter(({ task }) => task === number).length
              expect(made?.id).toBe(entry.isOpen ? `${number}.${before}` : undefined)
              if (made !== undefined) twin.push({ id: made.id, task: number, state: 'waiting', host: undefined })
            } else {
              const left = twin.filter(({ task, state }) => task === number && state !== 'over')
              expect(real.close(entry.task).map(({ id }) => id)).toEqual(left.map(({ id }) => id))
              for (const each of left) each.state = 'over'
              entry.isOpen = false
            }
          } else {
            if (twin.length === 0) continue
            const attempt = twin[call.which % twin.length]
            const isLive = attempt.state !== 'over'
            if (call.do === 'start') {
              const moved =
                isLive && attempt.host !== undefined && call.host !== undefined && attempt.host !== call.host
              expect(real.started(attempt.id, now, call.host)).toBe(moved ? attempt.host : undefined)
              if (!isLive) continue
              if (attempt.state === 'waiting') attempt.state = 'running'
              attempt.host = call.host ?? attempt.host
            } else if (call.do === 'wait') {
              expect(real.waits(attempt.id)).toBe(isLive ? attempt.host : undefined)
              if (isLive) Object.assign(attempt, { state: 'waiting', host: undefined })
            } else if (call.do === 'return') {
              real.returned(attempt.id)
              if (isLive) attempt.state = 'returned'
            } else {
              real.end(attempt.id, call.do === 'fail')
              if (isLive && call.do === 'fail') tasks[attempt.task].failures++
              attempt.state = 'over'
            }
          }
          const live = twin.filter(({ state }) => state !== 'over')
          expect(Array.from(real.attempts, ({ id, state, host }) => ({ id, state, host }))).toEqual(
            live.map(({ id, state, host }) => ({ id, state, host })),
          )
          expect(real.size).toBe(tasks.filter(({ isOpen }) => isOpen).length)
          for (const attempt of live) expect(real.find(attempt.id)?.task.number).toBe(attempt.task)
          for (const [number, { task, isOpen, failures }] of tasks.entries()) {
            expect(task.failures).toBe(failures)
            const ids = live.filter((each) => each.task === number).map(({ id }) => id)
            if (isOpen) expect(task.attempts.map(({ id }) => id)).toEqual(ids)
          }
          // The clock of an attempt runs exactly while a host has it.
          for (const { state, startedMs } of real.attempts) if (state === 'waiting') expect(startedMs).toBeUndefined()
        }
      }),
      { numRuns: 300 },
    )
  })

  it('measures the time of the host that has a task now', () => {
    const tasks = new OutstandingTasks()
    const attempt = tasks.give(tasks.open('shard', 'shard 1'))
    tasks.started('0.0', 10)
    tasks.started('0.0', 20, 'a')
    expect(attempt?.startedMs).toBe(10)
    tasks.started('0.0', 30, 'b')
    expect(attempt?.startedMs).toBe(30)
  })
})
