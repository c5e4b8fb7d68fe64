import { describe, expect, it } from 'vitest'
import { useSpareMemory } from '../../../src/cluster/worker/use-spare-memory.js'
import type { MergeTask } from '../../../src/tasks/link/merge-task.js'

const MERGE = { chunkBytes: 1000, count: 7 } as MergeTask

describe('useSpareMemory', () => {
  it('gives a merge larger chunks, up to a limit', () => {
    expect(useSpareMemory('merge', MERGE, 500)).toEqual({ chunkBytes: 1500, count: 7 })
    expect(useSpareMemory('merge', MERGE, 1e12)).toEqual({ chunkBytes: 256 * 2 ** 20, count: 7 })
  })

  it('leaves a merge as it is when there is nothing to spare', () => {
    expect(useSpareMemory('merge', MERGE, 0)).toEqual(MERGE)
  })

  it('leaves other tasks as they are', () => {
    const task = { count: 1 } as never
    expect(useSpareMemory('shard', task, 500)).toBe(task)
  })
})
