import type { Terminal } from './screen/terminal.js'

/** What a command shares with the process that runs it. */
export interface Session {
  readonly terminal: Terminal
  /** Set by a command whose result is bad news without being an error: a corrupt index. */
  exitCode: number
}
