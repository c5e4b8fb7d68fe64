/**
 * What the process does on a signal, from its first moment: loading the command takes a while. Imports nothing but
 * errors, to be loaded before all else.
 */
import { isatty } from 'node:tty'
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
/** The standard streams that were terminals at the start. */
let terminals: readonly number[] = []
let received: SignalName | undefined

/** From here on a signal ends the process at once with its exit code. Idempotent. */
export function listenToSignals(): void {
  if (listening) return
  listening = true
  terminals = [0, 1, 2].filter((stream) => isatty(stream))
  for (const name of SIGNAL_NAMES) {
    process.on(name, () => {
      received = name
      listener(name)
    })
  }
}

export function wasInterrupted(): boolean {
  return received !== undefined
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

/** Ends the process now; by SIGHUP, which gives 129 too, where Node would abort. */
export function endProcess(exitCode: number): void {
  if (wouldAbort()) {
    process.removeAllListeners('SIGHUP')
    process.kill(process.pid, 'SIGHUP')
  }
  process.exit(exitCode)
}

/** Node 20 aborts at its end, whatever the exit code, when its terminal is gone: it cannot set its modes back. */
export function wouldAbort(): boolean {
  return Number.parseInt(process.versions.node) < 22 && terminals.some((stream) => !isatty(stream))
}

/** Says so in one line and ends the process; for the time when nothing else is loaded. */
export function failAtOnce(code: string, message: string, exitCode: number): void {
  const end = (): void => endProcess(exitCode)
  // A line of progress may stand there.
  process.stderr.write(`${process.stderr.isTTY ? '\r\u001B[K' : ''}error: ${message}\n`)
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: { code, message } })}\n`, end)
  else end()
}
