import type { ClusterOptions } from '../../api/build.js'

const HIDDEN = 'the given address'

/**
 * Where Redis is, for messages and logs: never with a user or a password. Nothing of an address is shown where a password
 * with special characters may have been read as something else.
 */
export function shownUrl(connection: ClusterOptions['connection']): string {
  if (typeof connection === 'string') return shownAddress(connection)
  const { path, host, port, tls } = connection
  if (typeof path === 'string') return path
  return `${tls ? 'rediss' : 'redis'}://${textOr(host, 'localhost')}:${textOr(port, '6379')}`
}

function shownAddress(address: string): string {
  if (!URL.canParse(address)) return HIDDEN
  const { protocol, username, password, host, pathname } = new URL(address)
  const separators = address.split('@').length - 1
  const expected = username === '' && password === '' ? 0 : 1
  if (host === '' || separators !== expected) return HIDDEN
  return `${protocol}//${host}${pathname === '/' ? '' : pathname}`
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : fallback
}
