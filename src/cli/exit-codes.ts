/** What the exit codes mean, for the help and the documents. */
import { EXIT_CODES, type ErrorKind } from '../errors.js'
import { SIGNAL_EXIT_CODES } from './signals.js'

const MEANINGS: Readonly<Record<ErrorKind, string>> = {
  failed: 'failed',
  input: 'wrong usage or bad input',
  resources: 'not enough memory or disk',
  corrupt: 'a corrupt index',
  interrupted: 'interrupted by SIGINT or SIGTERM',
}

/** The codes a command can end with, ascending: [code, meaning]. */
export function exitCodeMeanings(): [number, string][] {
  const failures = Object.entries(EXIT_CODES).map(([kind, code]): [number, string] => [
    code,
    MEANINGS[kind as ErrorKind],
  ])
  const hangup: [number, string] = [SIGNAL_EXIT_CODES.SIGHUP, 'interrupted by SIGHUP: its terminal was closed']
  return [[0, 'done'], ...[...failures, hangup].sort(([a], [b]) => a - b)]
}

export function exitCodesLine(): string {
  return `Exit codes: ${exitCodeMeanings()
    .map(([code, meaning]) => `${code} ${meaning}`)
    .join(', ')}.`
}
