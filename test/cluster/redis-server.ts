/** A real redis-server for tests: on loopback, with a port and a folder of its own. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'

const COMMAND = 'redis-server'
/** Linux then ends the server with the test run, however that ends. */
const WITH_PARENT = ['setpriv', '--pdeathsig', 'KILL']
const hasSetpriv = spawnSync(WITH_PARENT[0], [...WITH_PARENT.slice(1), 'true']).status === 0

/** Whether there is a redis-server; tests that need one are skipped without, with `NO_REDIS` as the reason. */
export const hasRedis = spawnSync(COMMAND, ['--version']).status === 0
export const NO_REDIS = 'there is no redis-server; apt-get install redis-server'

export interface RedisServerOptions {
  /** Default: a free one. */
  readonly port?: number
  /** Default: a temporary one, deleted by `stop`. */
  readonly folder?: string
  /** What was acknowledged is there again after `restart`, also after `kill`. Default false: everything is forgotten. */
  readonly persistent?: boolean
  readonly password?: string
}

export interface RedisServer {
  /** With the password, if there is one. */
  readonly url: string
  readonly port: number
  /** Ends it, and deletes its folder if that is temporary. */
  stop(): Promise<void>
  /** SIGKILL; `restart` starts it again. */
  kill(): Promise<void>
  /** Ends it by SIGTERM if it runs, and starts it on the same port and folder. */
  restart(): Promise<void>
  /** SIGSTOP and SIGCONT: it is there and says nothing. */
  freeze(): void
  thaw(): void
}

export async function startRedis(options: RedisServerOptions = {}): Promise<RedisServer> {
  const port = options.port ?? (await freePort())
  const folder = options.folder ?? (await mkdtemp(path.join(os.tmpdir(), 'shardloom-redis-')))
  const password = options.password === undefined ? [] : ['--requirepass', options.password]
  const kept = options.persistent ? ['--appendonly', 'yes', '--appendfsync', 'always'] : ['--appendonly', 'no']
  const where = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', '']
  const start = (): Promise<ChildProcess> => startServer([...where, ...kept, ...password])
  let server = await start()
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    server.kill(signal)
    await ended
  }
  const user = options.password === undefined ? '' : `:${encodeURIComponent(options.password)}@`
  return {
    url: `redis://${user}127.0.0.1:${port}`,
    port,
    async stop() {
      await end('SIGKILL')
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true })
    },
    kill: () => end('SIGKILL'),
    async restart() {
      await end('SIGTERM')
      server = await start()
    },
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
  }
}

const running = new Set<ChildProcess>()

// A test run that ends early leaves no server behind.
process.on('exit', () => {
  for (const server of running) server.kill('SIGKILL')
})

async function startServer(args: readonly string[]): Promise<ChildProcess> {
  const [command, ...words] = [...(hasSetpriv ? WITH_PARENT : []), COMMAND, ...args]
  const server = spawn(command, words, { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(server)
  server.once('exit', () => running.delete(server))
  let output = ''
  await new Promise<void>((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk.toString()
      if (output.includes('Ready to accept connections')) resolve()
    }
    server.stdout.on('data', read)
    server.stderr.on('data', read)
    server.once('error', reject)
    server.once('exit', (code) => reject(new Error(`redis-server ended with ${String(code)}:\n${output}`)))
  })
  return server
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
