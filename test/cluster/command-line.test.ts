/** `shardloom build --cluster` and `shardloom worker`, as processes. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onlyJson, randomRows, shardloom, start, writeFvecs, type Running } from '../cli/shardloom.js'
import { freePort, hasRedis, startRedis, type RedisServer } from './redis-server.js'

const PASSWORD = 'a secret'

describe.skipIf(!hasRedis)('the command line of a build on many hosts', () => {
  let redis: RedisServer
  let sharedDir: string
  let env: NodeJS.ProcessEnv
  const running: Running[] = []

  beforeAll(async () => {
    redis = await startRedis({ password: PASSWORD })
    sharedDir = await mkdtemp(path.join(os.tmpdir(), 'shardloom-shared-'))
    env = { SHARDLOOM_CLUSTER: redis.url, SHARDLOOM_SHARED_DIR: sharedDir }
    await writeFvecs(path.join(sharedDir, 'rows.fvecs'), randomRows(2_000, 8))
  })
  afterAll(async () => {
    for (const { child } of running) child.kill('SIGKILL')
    await Promise.all(running.map(({ ended }) => ended))
    await redis.stop()
    await rm(sharedDir, { recursive: true, force: true })
  })

  function run(...args: readonly string[]): Running {
    const process = start(args, env, sharedDir)
    process.child.stdin.end()
    running.push(process)
    return process
  }

  it('a build that is interrupted says how to go on, without the password', async () => {
    const flags = ['--cluster', redis.url, '--shared-dir', sharedDir]
    const build = run('build', 'rows.fvecs', '--out', 'interrupted.index', '--threads', '1', ...flags)
    await build.saidOnStderr('stage ingest')
    build.child.kill('SIGINT')
    const { exitCode, stderr } = await build.ended
    expect(exitCode).toBe(130)
    expect(stderr).toContain('run the same command again: shardloom build rows.fvecs --out interrupted.index')
    expect(stderr).toContain("--cluster 'redis://***@127.0.0.1:")
    expect(stderr).not.toContain('secret')
  })

  it('a worker that finds no Redis ends with 2, and names the address without the password', async () => {
    const url = `redis://:secret@127.0.0.1:${await freePort()}`
    const { exitCode, stderr } = await shardloom(['worker', '--cluster', url, '--shared-dir', sharedDir])
    expect(exitCode).toBe(2)
    expect(stderr).toContain(url.replace(':secret@', ''))
    expect(stderr).not.toContain('secret')
  })

  it('a build has hosts in its summary, its page and its metrics', async () => {
    const worker = run('worker', '--threads', '1', '--json')
    const built = await run(
      ...['build', 'rows.fvecs', '--out', 'built.index', '--quality', 'balanced'],
      ...['--report', 'built.html', '--metrics-file', 'built.prom', '--json'],
    ).ended
    expect(built).toMatchObject({ exitCode: 0 })
    const { hosts } = onlyJson(built.stdout) as { hosts: { host: string; tasks: number }[] }
    expect(hosts).toHaveLength(1)
    const [{ host, tasks }] = hosts
    expect(tasks).toBeGreaterThan(3)
    expect(await readFile(path.join(sharedDir, 'built.html'), 'utf8')).toContain(host)
    expect(await readFile(path.join(sharedDir, 'built.prom'), 'utf8')).toMatch(
      new RegExp(`^shardloom_build_host_tasks\\{.*host="${host}"\\} ${tasks}$`, 'm'),
    )
    expect((await shardloom(['info', path.join(sharedDir, 'built.index')])).stdout).toContain(
      `built on      1 host, ${tasks} tasks`,
    )
    worker.child.kill('SIGTERM')
    const ended = await worker.ended
    expect(ended).toMatchObject({ exitCode: 0 })
    expect(onlyJson(ended.stdout)).toMatchObject({ host, builds: 1, tasks })
    expect(built.stderr + ended.stderr).not.toContain('secret')
  })

  it('a worker ends with 0 on SIGTERM, and says what it did', async () => {
    const worker = run('worker', '--threads', '1')
    await worker.saidOnStderr(sharedDir)
    worker.child.kill('SIGTERM')
    const { exitCode, stdout, stderr } = await worker.ended
    expect(exitCode).toBe(0)
    expect(stderr).toContain('SIGTERM: takes no more tasks; those that run have 25 s; once more ends at once')
    expect(stdout).toMatch(/^builds +0$/m)
  })

  it('a worker warns at once of a shared folder that is not there', async () => {
    const { exitCode, stderr } = await run('worker', '--shared-dir', 'absent', '--until-idle', '0').ended
    expect(exitCode).toBe(0)
    expect(stderr).toMatch(/^warning: the shared folder absent: ENOENT: .*; builds are refused until it is there$/m)
  })

  it('a worker ends with 130 on the second signal', async () => {
    // Redis does not answer: it cannot say goodbye.
    const worker = run('worker', '--threads', '1')
    await worker.saidOnStderr('waits for builds')
    redis.freeze()
    try {
      worker.child.kill('SIGINT')
      await worker.saidOnStderr('SIGINT: takes no more tasks')
      worker.child.kill('SIGINT')
      expect((await worker.ended).exitCode).toBe(130)
    } finally {
      redis.thaw()
    }
  })
})
