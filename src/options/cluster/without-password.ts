/** `text` with the passwords of URLs in it as ***, for messages. */
export function withoutPassword(text: string): string {
  return text.replace(/([a-z][a-z\d+.-]*:\/\/[^\s:/@"]*:)[^\s"]*@/gi, '$1***@')
}

/** For JSON.stringify: an object in a message has no passwords. */
export function hidePassword(key: string, value: unknown): unknown {
  return /password$/i.test(key) && value !== undefined ? '***' : value
}
