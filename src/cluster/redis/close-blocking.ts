import { closeRedis, type Connection } from './connect-redis.js'
import { settlesWithin } from './settles-within.js'

const STEP_MS = 50
const LIMIT_MS = 2000

/**
 * Ends a connection on which a loop of BullMQ waits. After a time without an answer BullMQ ends it and makes it again,
 * also when it was closed meanwhile: so it is ended until the loop has.
 */
export async function closeBlocking(client: Connection, loop: Promise<unknown>): Promise<void> {
  const ended = loop.then(
    () => true,
    () => true,
  )
  const until = performance.now() + LIMIT_MS
  do {
    await closeRedis(client)
  } while (!(await settlesWithin(STEP_MS, ended)) && performance.now() < until)
  // The loop may wait for another connection of its caller, who closes that next.
  void ended.then(() => closeRedis(client))
}
