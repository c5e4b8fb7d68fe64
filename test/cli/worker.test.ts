import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onlyJson, randomRows, shardloom, writeFvecs, type Ended } from './shardloom.js'

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'shardloom-cli-worker-'))
  await writeFvecs(path.join(folder, 'rows.fvecs'), randomRows(20, 4))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const NO_ENVIRONMENT = { SHARDLOOM_CLUSTER: '', SHARDLOOM_SHARED_DIR: '' }
const run = (args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> =>
  shardloom(args, { cwd: folder, env: { ...NO_ENVIRONMENT, ...env } })

describe('shardloom worker', () => {
  it('without a Redis ends with 2, and says how to name it', async () => {
    const { exitCode, stderr } = await run(['worker'])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/^error: no Redis: pass --cluster redis:\/\/host:6379 and --shared-dir DIR/)
  })

  it('takes Redis from a variable, and then misses the folder', async () => {
    const { exitCode, stderr } = await run(['worker'], { SHARDLOOM_CLUSTER: 'redis://127.0.0.1:1' })
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/^error: --cluster without --shared-dir/)
  })
})

describe('shardloom build with --cluster', () => {
  it('alone ends with 2 before anything is built', async () => {
    const { exitCode, stderr } = await run(['build', 'rows.fvecs', '--out', 'a.index', '--cluster', 'redis://host'])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/^error: --cluster without --shared-dir/)
  })

  it('names the variable that is wrong', async () => {
    const { exitCode, stderr } = await run(['build', 'rows.fvecs'], { SHARDLOOM_CLUSTER: 'host:6379' })
    expect({ exitCode, stderr }).toEqual({
      exitCode: 2,
      stderr: 'error: SHARDLOOM_CLUSTER must be the URL of Redis, such as redis://host:6379, got "host:6379"\n',
    })
  })

  it('prints where it comes from with --print-config, without its password', async () => {
    const env = { SHARDLOOM_CLUSTER: 'redis://:secret@host', SHARDLOOM_SHARED_DIR: '/mnt/other' }
    const args = ['build', 'rows.fvecs', '--shared-dir', '/mnt/shared', '--print-config']
    const { stdout } = await run([...args, '--json'], env)
    const { options } = onlyJson(stdout) as { options: Record<string, unknown> }
    expect(options).toMatchObject({
      cluster: { value: 'redis://***@host', from: 'SHARDLOOM_CLUSTER' },
      sharedDir: { value: '/mnt/shared', from: 'flag' },
      lockSeconds: { value: 30, from: 'default' },
    })
    expect((await run(args, env)).stdout).not.toContain('secret')
  })
})
