/** One writer at a time. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { createIndex, IndexLockedError, openIndex } from '../../dist/src/index.js'
import { makeFolder } from '../fixtures/builds.js'
import { outcome } from '../fixtures/index-files.js'

/** A process that has the index open for writing, and has upserted something. */
async function writer(path: string): Promise<ChildProcess> {
  const program = fileURLToPath(new URL('kill/child.mjs', import.meta.url))
  const child = spawn(process.execPath, [program, path, '1'], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const text of child.stdout as AsyncIterable<Buffer>) if (text.includes('done')) break
  return child
}

it('a second writer is told which process has it; readers are not kept out; the lock of a dead one is free', async () => {
  const path = join(makeFolder(), 'an.index')
  const child = await writer(path)
  const error = (await outcome(openIndex(path, { write: true }))) as IndexLockedError
  expect(error).toBeInstanceOf(IndexLockedError)
  expect(error.message).toContain(`written to by process ${child.pid}`)
  const reader = await openIndex(path)
  expect(reader.count).toBeGreaterThan(0)
  await reader.close()
  child.kill('SIGKILL')
  await once(child, 'close')
  const next = await openIndex(path, { write: true })
  await next.upsert({ id: 'next', vector: [1, 2, 3, 4, 5, 6] })
  await next.close()
})

it('a second writer of the same process is refused until the first is closed', async () => {
  const path = join(makeFolder(), 'an.index')
  const first = await createIndex(path, { dimensions: 2 })
  expect(await outcome(openIndex(path, { write: true }))).toBeInstanceOf(IndexLockedError)
  await first.upsert({ id: 1, vector: [1, 2] })
  await first.close()
  const second = await openIndex(path, { write: true })
  expect(second.count).toBe(1)
  await second.close()
})
