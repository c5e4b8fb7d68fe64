import { systemErrorCode } from '../../runtime/realms.js'

/**
 * Whether an error only says that a connection is lost, or could not be made again yet. `RedisHealth` tells of that once;
 * ioredis and BullMQ say it at each attempt, on each connection.
 */
export function lostConnection(error: Error): boolean {
  return systemErrorCode(error) !== undefined || /^(Socket timeout|Connection is closed)/.test(error.message)
}
