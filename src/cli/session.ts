import type { Terminal } from './screen/terminal.js'

/** What every command is given. */
export interface Session {
  readonly terminal: Terminal
  /** Set by a command that ends without an error and still has bad news: a corrupt index. */
  exitCode: number
}

/** Flags that every command has. */
export interface CommonFlags {
  readonly json?: boolean
}
