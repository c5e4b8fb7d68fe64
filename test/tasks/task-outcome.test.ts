import { describe, expect, it } from 'vitest'
import { outcomeOf, reviveError } from '../../src/tasks/task-outcome.js'
import { CorruptSpillError, DiskFullError, EngineError, ShardloomError } from '../../src/errors.js'

/** Over the border and back, as a worker's answer comes. */
async function overTheBorder(thrown: unknown): Promise<unknown> {
  const outcome = await outcomeOf(() => {
    throw thrown
  })
  const arrived = structuredClone(outcome)
  if (arrived.ok) throw new Error('expected a failure')
  return reviveError(arrived.error)
}

describe('an error that crosses the thread border', () => {
  it('keeps class, code, exit code, message, fields and stack', async () => {
    const sent = new DiskFullError({ path: '/x', neededBytes: 10, freeBytes: undefined })
    const got = await overTheBorder(sent)
    expect(got).toBeInstanceOf(DiskFullError)
    expect(got).toBeInstanceOf(ShardloomError)
    expect(got).toBeInstanceOf(Error)
    const error = got as DiskFullError
    expect(error.name).toBe('DiskFullError')
    expect(error.code).toBe('SHARDLOOM_DISK_FULL')
    expect(error.exitCode).toBe(3)
    expect(error.message).toBe(sent.message)
    expect(error.details).toEqual(sent.details)
    expect(error.stack).toBe(sent.stack)
    expect(Object.keys(error)).not.toContain('name')
  })

  it('keeps the chain of causes', async () => {
    const root = new TypeError('deep')
    const middle = new CorruptSpillError('/spill', 42, 'torn')
    Object.defineProperty(middle, 'cause', { value: root })
    const got = (await overTheBorder(new EngineError('pipnn', 'no', middle))) as EngineError
    expect(got).toBeInstanceOf(EngineError)
    expect(got.engine).toBe('pipnn')
    const cause = got.cause as CorruptSpillError
    expect(cause).toBeInstanceOf(CorruptSpillError)
    expect(cause.offset).toBe(42)
    expect(cause.cause).toMatchObject({ message: 'deep', name: 'TypeError' })
  })

  it('keeps a code of the base class', async () => {
    const got = await overTheBorder(new ShardloomError('SHARDLOOM_ODD', 'odd', { kind: 'corrupt' }))
    expect(got).toMatchObject({ code: 'SHARDLOOM_ODD', exitCode: 4, message: 'odd', name: 'ShardloomError' })
  })
})

describe('outcomeOf', () => {
  it('passes values, with the time they took', async () => {
    const outcome = await outcomeOf(async () => 5)
    expect(outcome).toMatchObject({ ok: true, value: 5, tileMs: 0 })
    expect(outcome.ok && outcome.busyMs).toBeGreaterThanOrEqual(0)
  })

  it('throws what is not ours, so that the task is run again', async () => {
    await expect(outcomeOf(() => Promise.reject(new RangeError('trap')))).rejects.toThrow(RangeError)
  })
})
