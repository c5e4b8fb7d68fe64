import { execFileSync } from 'node:child_process'
import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { BufferPool } from '../../spill/buffer-pool.js'
import { DiskBackedQueue } from '../../spill/disk-backed-queue.js'
import { SpillBudget } from '../../spill/spill-budget.js'
import type { SpillFileSystem } from '../../spill/files/spill-file.js'
import { DiskFullError } from '../../src/errors.js'
import { fileSystemWith, makeBatch, makeDirectory, systemError, type TestHeader } from '../fixtures/batches.js'

function queueIn(
  directory: string,
  fileSystem?: SpillFileSystem,
): { queue: DiskBackedQueue<TestHeader>; budget: SpillBudget } {
  const budget = new SpillBudget({ limitBytes: 0, pool: new BufferPool(), fileSystem })
  return { queue: new DiskBackedQueue<TestHeader>({ name: 'queue', directory, budget }), budget }
}

async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** Mounts a file system of 1 MiB at `directory`; false without permission. */
function mountSmall(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

describe('a full disk', () => {
  it('is DiskFullError with the bytes needed and free, on a real file system', async ({ skip }) => {
    const directory = await makeDirectory()
    if (!mountSmall(directory)) skip('mounting a tmpfs needs root')
    try {
      await writeFile(join(directory, 'published'), 'kept')
      const { queue } = queueIn(directory)
      let error: unknown
      for (let number = 0; number < 10 && error === undefined; number++) {
        error = await errorOf(queue.push(makeBatch(number, 300_000)))
      }
      expect(error).toBeInstanceOf(DiskFullError)
      const { details } = error as DiskFullError
      expect(details.path).toBe(queue.files[0])
      expect(details.neededBytes).toBeGreaterThan(0)
      expect(details.neededBytes).toBeLessThan(301_000)
      expect(details.freeBytes).toBeLessThan(300_000)
      expect((error as DiskFullError).cause).toMatchObject({ code: 'ENOSPC' })
      await queue.dispose()
      expect(await readdir(directory)).toEqual(['published'])
    } finally {
      execFileSync('umount', [directory])
    }
  })

  it('counts the rest of a partial write as needed', async () => {
    const directory = await makeDirectory()
    let writes = 0
    const fileSystem = fileSystemWith({
      callBytes: () => 1000,
      write: async () => {
        if (++writes === 3) throw systemError('ENOSPC')
      },
    })
    const { queue } = queueIn(directory, fileSystem)
    const error = await errorOf(queue.push({ header: { number: 0, ids: [] }, count: 1, bytes: new Uint8Array(8000) }))
    const frameBytes = 24 + 16 + 8000
    expect(error).toBeInstanceOf(DiskFullError)
    expect((error as DiskFullError).details.neededBytes).toBe(frameBytes - 2000)
    await queue.dispose()
    expect(await readdir(directory)).toEqual([])
  })

  it('differs from other failures, which keep their cause', async () => {
    for (const code of ['EMFILE', 'EACCES', 'EROFS']) {
      const fileSystem = fileSystemWith({
        open: async () => {
          throw systemError(code)
        },
      })
      const { queue } = queueIn(await makeDirectory(), fileSystem)
      const error = await errorOf(queue.push(makeBatch(1, 100)))
      expect(error).toMatchObject({ code: 'SHARDLOOM_SPILL_FAILED', cause: { code } })
      await queue.dispose()
    }
  })

  it('reports a failed open for reading, and keeps the batch in the queue', async () => {
    let fail = false
    const fileSystem = fileSystemWith({
      open: async () => {
        if (fail) throw systemError('EMFILE')
      },
    })
    const { queue } = queueIn(await makeDirectory(), fileSystem)
    await queue.push(makeBatch(1, 100))
    fail = true
    expect(await errorOf(queue.shift())).toMatchObject({ cause: { code: 'EMFILE' } })
    fail = false
    expect((await queue.shift())?.header.number).toBe(1)
    await queue.dispose()
  })
})
