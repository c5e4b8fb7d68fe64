/**
 * `text` with *** for user and password of a URL in it, for messages. Up to the last @: a password may have characters
 * that a URL should not.
 */
export function withoutPassword(text: string): string {
  return text.replace(/([a-z][a-z\d+.-]*:\/\/).*@/is, '$1***@')
}

/** For JSON.stringify: an object in a message has no passwords. */
export function hidePassword(key: string, value: unknown): unknown {
  return /password$/i.test(key) && value !== undefined ? '***' : value
}
