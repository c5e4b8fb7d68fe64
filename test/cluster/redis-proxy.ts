/** A way to Redis that tests can cut, or make silent; it may change what the server says. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface RedisProxy {
  readonly url: string
  /** Ends all connections, and refuses new ones until `mend`. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

export async function startProxy(
  port: number,
  change: (bytes: Buffer) => Buffer = (bytes) => bytes,
): Promise<RedisProxy> {
  const sockets = new Set<Socket>()
  let isCut = false
  const server = createServer((near) => {
    if (isCut) {
      near.destroy()
      return
    }
    const far = connect(port, '127.0.0.1')
    near.on('data', (bytes) => far.write(bytes))
    far.on('data', (bytes) => near.write(change(bytes)))
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ]) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const cut = (): void => {
    isCut = true
    for (const socket of sockets) socket.destroy()
  }
  return {
    url: `redis://127.0.0.1:${address.port}`,
    cut,
    mend: () => void (isCut = false),
    async close() {
      cut()
      server.close()
      await once(server, 'close')
    },
  }
}
