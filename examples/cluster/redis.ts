/** A Redis on the loopback, with a port and a folder that nothing else uses. */
import { mkdir } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { Program } from './programs.ts'

export async function startRedis(folder: string): Promise<{ redis: Program; port: number }> {
  await mkdir(folder)
  const port = await freePort()
  const redis = new Program('redis-server', 'redis-server', [
    ...['--bind', '127.0.0.1', '--port', String(port), '--dir', folder],
    // Nothing is kept: a build puts in again what Redis has forgotten.
    ...['--save', '', '--appendonly', 'no', '--maxmemory-policy', 'noeviction'],
  ])
  try {
    await redis.printed(/Ready to accept connections/)
  } catch (error) {
    throw new Error('redis-server cannot be started: install it, as by apt-get install redis-server', { cause: error })
  }
  return { redis, port }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
