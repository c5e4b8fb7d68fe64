import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { IndexLockedError, PathError } from '../../src/errors.js'
import { acquireLock, removeStaleLock } from '../../src/format/generation/lock.js'
import { outcome, temporaryFolder } from '../fixtures/index-files.js'

const folder = temporaryFolder()

async function plant(indexDir: string, text: string): Promise<void> {
  await mkdir(join(indexDir, 'build'), { recursive: true })
  await writeFile(join(indexDir, 'build', 'LOCK'), text)
}

const lockOf = (change: object): string =>
  JSON.stringify({
    pid: process.pid,
    host: hostname(),
    since: '2026-01-31T12:00:00.000Z',
    processStart: null,
    token: 'theirs',
    ...change,
  })

async function deadPid(): Promise<number> {
  const child = spawn(process.execPath, ['-e', ''])
  await once(child, 'exit')
  if (child.pid === undefined) throw new Error('the child never was')
  return child.pid
}

describe('acquireLock', () => {
  it('makes the folder, and removes it when it stays unused', async () => {
    const indexDir = folder.path('made', 'deep.index')
    const lock = await acquireLock(indexDir)
    expect((await stat(join(indexDir, 'build', 'LOCK'))).isFile()).toBe(true)
    await lock.release()
    await lock.release()
    expect(await readdir(folder.path('made'))).toEqual([])
  })

  it('keeps folders that are in use or that it did not make', async () => {
    const [used, given] = [folder.path('used.index'), folder.path('given.index')]
    const first = await acquireLock(used)
    await mkdir(join(used, 'gen-000001'))
    await first.release()
    expect(await readdir(used)).toEqual(['gen-000001'])
    await mkdir(given)
    await (await acquireLock(given)).release()
    expect(await readdir(given)).toEqual([])
  })

  it('refuses a second holder until the first releases the lock', async () => {
    const indexDir = folder.path('twice.index')
    const lock = await acquireLock(indexDir)
    const refused = acquireLock(indexDir)
    await expect(refused).rejects.toThrow(IndexLockedError)
    await expect(refused).rejects.toThrow(`being built by process ${process.pid} on ${hostname()}`)
    await lock.release()
    await (await acquireLock(indexDir)).release()
  })

  it('takes over from a process that is gone', async () => {
    const indexDir = folder.path('dead.index')
    await plant(indexDir, lockOf({ pid: await deadPid() }))
    const lock = await acquireLock(indexDir)
    await expect(acquireLock(indexDir)).rejects.toThrow(IndexLockedError)
    await lock.release()
  })

  it.runIf(process.platform === 'linux')('takes over when another process has the same number', async () => {
    const indexDir = folder.path('reused.index')
    await plant(indexDir, lockOf({ processStart: 'another-boot:1' }))
    await (await acquireLock(indexDir)).release()
  })

  it('takes over a lock without readable text', async () => {
    const indexDir = folder.path('torn.index')
    for (const text of ['', '{"pid":', '{"pid":-5}', 'null']) {
      await plant(indexDir, text)
      await (await acquireLock(indexDir)).release()
    }
  })

  it.runIf(existsSync('/dev/fd'))('takes over from a thread that was ended, and from no other', async () => {
    const indexDir = folder.path('thread.index')
    const lock = new URL('../../dist/src/format/generation/lock.js', import.meta.url).href
    const code = `const { parentPort, workerData } = require('node:worker_threads');
      import(workerData.lock).then(({ acquireLock }) => acquireLock(workerData.indexDir)).then(() => {
        parentPort.postMessage('held'); setInterval(() => 0, 1000) })`
    const thread = new Worker(code, { eval: true, workerData: { lock, indexDir } })
    await once(thread, 'message')
    await expect(acquireLock(indexDir)).rejects.toThrow(IndexLockedError)
    await thread.terminate()
    await (await acquireLock(indexDir)).release()
  })

  it('leaves the lock of another host alone, and says what to delete when that is gone', async () => {
    const indexDir = folder.path('host.index')
    const text = lockOf({ pid: await deadPid(), host: 'elsewhere' })
    await plant(indexDir, text)
    const refused = acquireLock(indexDir)
    await expect(refused).rejects.toThrow('on elsewhere since 2026-01-31T12:00:00.000Z')
    await expect(refused).rejects.toThrow(`when that host is gone, delete ${join(indexDir, 'build', 'LOCK')}`)
    expect(await readFile(join(indexDir, 'build', 'LOCK'), 'utf8')).toBe(text)
  })

  it('lets one of many processes in when all find the same stale lock', async () => {
    for (let round = 0; round < 10; round++) {
      const indexDir = folder.path(`race-${round}.index`)
      await plant(indexDir, lockOf({ pid: await deadPid() }))
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => outcome(acquireLock(indexDir))))
      expect(outcomes.filter((one) => !(one instanceof IndexLockedError))).toHaveLength(1)
    }
  })

  it('does not remove a lock that was made after the stale one was judged', async () => {
    const indexDir = folder.path('late.index')
    const lock = await acquireLock(indexDir)
    await removeStaleLock(join(indexDir, 'build', 'LOCK'), lockOf({ pid: 1 }))
    await expect(acquireLock(indexDir)).rejects.toThrow(IndexLockedError)
    await lock.release()
  })

  it('does not release the lock of another holder', async () => {
    const indexDir = folder.path('lost.index')
    const lock = await acquireLock(indexDir)
    await plant(indexDir, lockOf({}))
    await lock.release()
    expect(await readdir(join(indexDir, 'build'))).toEqual(['LOCK'])
  })

  it('says what is wrong with a path that cannot be a folder', async () => {
    await writeFile(folder.path('file'), '')
    await writeFile(folder.path('blocked'), '')
    await expect(acquireLock(folder.path('file'))).rejects.toThrow(PathError)
    await expect(acquireLock(folder.path('file', 'below'))).rejects.toThrow('a part of the path is a file')
    await symlink(folder.path('nowhere'), folder.path('dangling'))
    const said = `a symbolic link to ${folder.path('nowhere')}, which does not exist; make that folder, or remove the link`
    for (const path of [folder.path('dangling'), folder.path('dangling', 'deep', 'an.index')]) {
      await expect(acquireLock(path)).rejects.toThrow(said)
    }
    await mkdir(folder.path('nowhere'))
    await (await acquireLock(folder.path('dangling', 'deep', 'an.index'))).release()
  })

  it.runIf(existsSync('/proc/self'))(
    'refuses a file system that lets no folder be made, and does not spin',
    async () => {
      for (const path of ['/proc/x', '/proc/x/y/z.index']) {
        await expect(acquireLock(path)).rejects.toThrow('/proc/x: the file system lets no folder be made here')
      }
    },
  )
})
