/** A Redis of a test's own, on a free loopback port, that can die, come back, and forget. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { own } from './processes.mjs'

const PROGRAM = 'redis-server'

/** Why there is none; undefined when there is. */
export function whyNoRedis() {
  const { error } = spawnSync(PROGRAM, ['--version'])
  return error && `${PROGRAM} cannot be run (${error.code}); install Redis 6.2 or later`
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

export class OwnRedis {
  #folder
  #child
  #client

  /** `folder` holds its data. */
  static async start(folder) {
    const redis = new OwnRedis(folder, await freePort())
    await redis.start()
    return redis
  }

  constructor(folder, port) {
    this.#folder = folder
    this.port = port
    this.url = `redis://127.0.0.1:${port}`
  }

  async start() {
    mkdirSync(this.#folder, { recursive: true })
    const flags = {
      port: this.port,
      bind: '127.0.0.1',
      dir: this.#folder,
      save: '',
      appendonly: 'yes',
      appendfsync: 'always',
    }
    const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, `${value}`])
    this.#child = own(spawn(PROGRAM, args, { stdio: 'ignore' }))
    for (let tries = 0; !(await this.#answers()); tries++) {
      if (tries === 100 || this.#child.exitCode !== null) throw new Error(`redis-server did not start on ${this.port}`)
      await sleep(100)
    }
  }

  /** At once, as when its machine dies. */
  async kill() {
    this.#client?.disconnect()
    this.#client = undefined
    if (this.#child === undefined) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
    this.#child = undefined
  }

  signal(name) {
    this.#child.kill(name)
  }

  /** What it held is lost when it is started again. */
  forget() {
    rmSync(join(this.#folder), { recursive: true, force: true })
  }

  /** The answer to one command. */
  call(...command) {
    this.#client ??= this.#connect()
    return this.#client.call(...command)
  }

  #connect() {
    const client = new Redis(this.url, { maxRetriesPerRequest: 1, retryStrategy: null })
    // The command fails with the same error.
    client.on('error', (error) => (client.lastError = error))
    return client
  }

  async #answers() {
    const client = this.#connect()
    try {
      return (await client.call('PING')) === 'PONG'
    } catch {
      return false
    } finally {
      client.disconnect()
    }
  }
}
