import { describe, expect, it } from 'vitest'
import { OutstandingTasks } from '../../../src/cluster/coordinator/outstanding-tasks.js'
import { TaskDurations, taskToRepeat } from '../../../src/cluster/coordinator/speculation.js'

/** Shard tasks that began at these times; shard tasks usually take 2 s. */
function running(...startedMs: readonly number[]): OutstandingTasks {
  const tasks = new OutstandingTasks()
  for (const [i, at] of startedMs.entries()) {
    tasks.give(tasks.open('shard', `shard ${i}`))
    tasks.started(`${i}.0`, at, 'a')
  }
  return tasks
}

function usually(...ms: readonly number[]): TaskDurations {
  const durations = new TaskDurations()
  for (const each of ms) durations.add('shard', each)
  return durations
}

const TWO_SECONDS = usually(1000, 2000, 3000)

describe('taskToRepeat', () => {
  it('takes the task that runs longest, when it runs more than twice the median and a host has room', () => {
    expect(taskToRepeat(running(3000, 0, 2000).attempts, TWO_SECONDS, 4, 7100)?.label).toBe('shard 1')
  })

  it('takes none that runs no longer than twice the median', () => {
    expect(taskToRepeat(running(0).attempts, TWO_SECONDS, 4, 4000)).toBeUndefined()
  })

  it('takes none while all slots are taken', () => {
    expect(taskToRepeat(running(0, 0).attempts, TWO_SECONDS, 2, 9000)).toBeUndefined()
  })

  it('takes none while another task waits for a host', () => {
    const tasks = running(0)
    tasks.give(tasks.open('shard', 'shard 1'))
    expect(taskToRepeat(tasks.attempts, TWO_SECONDS, 4, 9000)).toBeUndefined()
  })

  it('takes no task that runs twice already', () => {
    const tasks = running(0)
    const first = tasks.find('0.0')
    if (first === undefined) throw new Error('no attempt')
    tasks.give(first.task)
    tasks.started('0.1', 1000, 'b')
    expect(taskToRepeat(tasks.attempts, TWO_SECONDS, 4, 60_000)).toBeUndefined()
  })

  it('takes no task whose outcome is being read', () => {
    const tasks = running(0)
    tasks.returned('0.0')
    expect(taskToRepeat(tasks.attempts, TWO_SECONDS, 4, 9000)).toBeUndefined()
  })

  it('takes none before a task of its kind has finished', () => {
    expect(taskToRepeat(running(0).attempts, usually(), 4, 60_000)).toBeUndefined()
  })

  it('takes no task that runs a second or less', () => {
    expect(taskToRepeat(running(0).attempts, usually(10), 4, 1000)).toBeUndefined()
    expect(taskToRepeat(running(0).attempts, usually(10), 4, 1001)).toBeDefined()
  })
})

it('TaskDurations forgets the oldest durations', () => {
  expect(
    usually(...Array.from({ length: 600 }, () => 1), ...Array.from({ length: 512 }, () => 9)).medianOf('shard'),
  ).toBe(9)
})
