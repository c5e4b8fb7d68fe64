import { describe, expect, it } from 'vitest'
import { clusterOf, clusterOfWorker, environmentLayers } from '../../src/cli/flags/cluster-flags.js'
import { resolveWorkerOptions } from '../../src/options/cluster/resolve-worker-options.js'
import { withoutPassword } from '../../src/options/cluster/without-password.js'
import { resolveOptions } from '../../src/options/resolve-options.js'
import type { BuildOptions } from '../../src/api/build.js'

const CONNECTION = 'redis://10.0.0.5:6379'
const sharedDir = '/mnt/shared'
const options = (cluster: unknown): BuildOptions => ({ path: '/mnt/shared/a.index', cluster }) as BuildOptions

function messageOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('it did not throw')
}

describe('the option cluster', () => {
  it('is a URL of Redis or the options of ioredis, with an absolute folder and 30 seconds', () => {
    expect(resolveOptions(options({ connection: CONNECTION, sharedDir })).cluster).toEqual({
      connection: CONNECTION,
      sharedDir,
      lockSeconds: 30,
    })
    const connection = { host: '10.0.0.5', tls: {} }
    expect(resolveOptions(options({ connection, sharedDir, lockSeconds: 2 })).cluster).toEqual({
      connection,
      sharedDir,
      lockSeconds: 2,
    })
  })

  it.each([
    [{ sharedDir }, 'cluster.connection must be given, got undefined'],
    [{ connection: CONNECTION }, 'cluster.sharedDir must be given, got undefined'],
    [
      { connection: '10.0.0.5:6379', sharedDir },
      'cluster.connection must be the URL of Redis, such as redis://host:6379, got "10.0.0.5:6379"',
    ],
    [
      { connection: 'http://10.0.0.5:6379', sharedDir },
      'cluster.connection must be the URL of Redis, such as redis://host:6379, got "http://10.0.0.5:6379"',
    ],
    [
      { connection: CONNECTION, sharedDir, lockSeconds: 0 },
      'cluster.lockSeconds must be a number from 1 to 2000000, got 0',
    ],
    [{ connection: CONNECTION, sharedDir, lock: 2 }, 'unknown option "cluster.lock"'],
    [
      CONNECTION,
      "cluster must be an object such as { connection: 'redis://host:6379', sharedDir: '/mnt/shared' }, " +
        `got "${CONNECTION}"`,
    ],
  ])('%o is refused, with the part that is wrong', (cluster, message) => {
    expect(messageOf(() => resolveOptions(options(cluster)))).toBe(message)
  })

  it('takes one thread by default, and the index must be in its folder', () => {
    const cluster = { connection: CONNECTION, sharedDir }
    expect(resolveOptions(options(cluster)).threads).toBe(1)
    expect(messageOf(() => resolveOptions({ path: '/elsewhere', cluster }))).toMatch(
      /^path '\/elsewhere' is outside of the shared folder '\/mnt\/shared'/,
    )
  })
})

describe('no message has a password', () => {
  it.each([
    ['redis://:secret@host:6379/0', 'redis://***@host:6379/0'],
    ['redis://:a "@/#?b@host', 'redis://***@host'],
    ['redis://token@host', 'redis://***@host'],
    ['--cluster=rediss://worker:p@ss:word@host', '--cluster=rediss://***@host'],
    ['redis://host:6379', 'redis://host:6379'],
    ['a@b.example: 12:30', 'a@b.example: 12:30'],
  ])('%s is shown as %s', (text, shown) => {
    expect(withoutPassword(text)).toBe(shown)
  })

  it('of wrong options', () => {
    const url = messageOf(() => resolveOptions(options({ connection: 'http://:secret@host', sharedDir })))
    expect(url).toContain('got "http://***@host"')
    const parts = messageOf(() =>
      resolveOptions({ path: { password: 'secret', sentinelPassword: 'secret' } as unknown as string }),
    )
    expect(parts).toContain('got {"password":"***","sentinelPassword":"***"}')
  })

  it('of a wrong variable', () => {
    expect(messageOf(() => environmentLayers({ SHARDLOOM_CLUSTER: 'tcp://:secret@host' }))).toBe(
      'SHARDLOOM_CLUSTER must be the URL of Redis, such as redis://host:6379, got "tcp://***@host"',
    )
  })
})

describe('--cluster and --shared-dir', () => {
  it('are the option cluster', () => {
    expect(clusterOf({ cluster: CONNECTION, sharedDir })).toEqual({ connection: CONNECTION, sharedDir })
    expect(clusterOf({ cluster: CONNECTION, sharedDir, lockSeconds: 5 })).toEqual({
      connection: CONNECTION,
      sharedDir,
      lockSeconds: 5,
    })
    expect(clusterOf({})).toBeUndefined()
  })

  it.each([
    [{ cluster: CONNECTION }, /^--cluster without --shared-dir.*pass --shared-dir DIR/],
    [{ sharedDir }, /^--shared-dir without --cluster.*pass --cluster redis/],
    [{ lockSeconds: 5 }, /^--lock-seconds without --cluster/],
  ])('%o is not enough, and the message says what is missing', (given, message) => {
    expect(messageOf(() => clusterOf(given))).toMatch(message)
  })

  it('may be variables, which are layers of their own', () => {
    expect(environmentLayers({ SHARDLOOM_CLUSTER: CONNECTION, SHARDLOOM_SHARED_DIR: sharedDir })).toEqual([
      { from: 'SHARDLOOM_CLUSTER', options: { cluster: CONNECTION } },
      { from: 'SHARDLOOM_SHARED_DIR', options: { sharedDir } },
    ])
    expect(environmentLayers({ SHARDLOOM_CLUSTER: '', HOME: '/root' })).toEqual([])
  })

  it('of a worker win over variables, and both are needed', () => {
    const env = { SHARDLOOM_CLUSTER: 'redis://other', SHARDLOOM_SHARED_DIR: sharedDir }
    expect(clusterOfWorker({ cluster: CONNECTION, sharedDir: undefined }, env)).toEqual({
      connection: CONNECTION,
      sharedDir,
    })
    expect(messageOf(() => clusterOfWorker({}, {}))).toMatch(/^no Redis: pass --cluster redis:\/\/host:6379/)
  })
})

describe('the options of a worker', () => {
  it('have defaults: the cores, 25 seconds of grace, no end', () => {
    const resolved = resolveWorkerOptions({ connection: CONNECTION, sharedDir: 'shared' })
    expect(resolved).toMatchObject({ graceSeconds: 25, memoryBytes: undefined, untilIdleSeconds: undefined })
    expect(resolved.threads).toBeGreaterThan(0)
    expect(resolved.sharedDir).toBe(`${process.cwd()}/shared`)
    expect(resolveWorkerOptions({ connection: CONNECTION, sharedDir, memory: '8GB' }).memoryBytes).toBe(8e9)
  })

  it('are checked', () => {
    expect(messageOf(() => resolveWorkerOptions({ connection: CONNECTION, sharedDir, threads: 0 }))).toMatch(
      /^threads must be an integer from 1/,
    )
  })
})
