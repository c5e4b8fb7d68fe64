/**
 * What the process does on a signal, from its first moment: loading the command takes half a second. Imports nothing but
 * errors, to be loaded before all else.
 */
import { EXIT_CODES } from '../errors.js'

/** What a signal ends the command with. SIGHUP: its terminal was closed, or the connection to it was lost. */
export const SIGNAL_EXIT_CODES = {
  SIGHUP: 129,
  SIGINT: EXIT_CODES.interrupted,
  SIGTERM: EXIT_CODES.interrupted,
} as const

export type SignalName = keyof typeof SIGNAL_EXIT_CODES

const SIGNAL_NAMES = Object.keys(SIGNAL_EXIT_CODES) as SignalName[]

type SignalListener = (name: SignalName) => void

let listener: SignalListener = endAtOnce
let listening = false
let received: SignalName | undefined

/** From here on a signal ends the process at once with its exit code. Idempotent. */
export function listenToSignals(): void {
  if (listening) return
  listening = true
  for (const name of SIGNAL_NAMES) {
    process.on(name, () => {
      received = name
      listener(name)
    })
  }
}

/** What a command that was interrupted ends with. */
export function interruptedExitCode(): number {
  return received === undefined ? EXIT_CODES.interrupted : SIGNAL_EXIT_CODES[received]
}

/** While `body` runs, a signal is its listener's. */
export async function whileListening<Result>(own: SignalListener, body: () => Promise<Result>): Promise<Result> {
  listenToSignals()
  const before = listener
  listener = own
  try {
    return await body()
  } finally {
    listener = before
  }
}

/** For a command, or a part of it, that has nothing to clean up. */
function endAtOnce(name: SignalName): void {
  failAtOnce('SHARDLOOM_ABORTED', `ended by ${name}`, SIGNAL_EXIT_CODES[name])
}

/** Says so in one line and ends the process; for the time when nothing else is loaded. */
export function failAtOnce(code: string, message: string, exitCode: number): void {
  const end = (): never => process.exit(exitCode)
  process.stderr.write(`error: ${message}\n`)
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`, end)
  else end()
}
