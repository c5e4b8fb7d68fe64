/** Serves an app until SIGTERM or SIGINT, and then ends without losing what was asked. */
import { serve } from '@hono/node-server'
import type { Hono } from 'hono'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Answers that take longer when the service ends are cut off. */
const GRACE_MS = 10_000
const POLL_MS = 20

export interface Serving {
  readonly app: Hono
  readonly port: number
  readonly host: string
  /** Closes what the app uses. Called once, when no request is in progress. */
  readonly close: () => Promise<void>
}

/** Resolves when it listens, after printing its address. The process ends by itself after `close`. */
export async function serveUntilSignal({ app, port, host, close }: Serving): Promise<void> {
  const server = serve({ fetch: app.fetch, port, hostname: host }) as Server
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve)
    server.once('error', reject)
  })
  let ending: Promise<void> | undefined
  const end = (): void => {
    ending ??= endServer(server)
      .then(close)
      .catch((error: unknown) => {
        console.error(error)
        process.exitCode = 1
      })
  }
  process.on('SIGTERM', end).on('SIGINT', end)
  console.log(`listening on http://${host}:${(server.address() as AddressInfo).port}`)
}

/** No new connections; resolves when every request that came is answered. */
async function endServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection that was busy stays open after its answer, for the next request.
  const idle = setInterval(() => server.closeIdleConnections(), POLL_MS)
  const late = setTimeout(() => server.closeAllConnections(), GRACE_MS)
  await closed
  clearInterval(idle)
  clearTimeout(late)
}
