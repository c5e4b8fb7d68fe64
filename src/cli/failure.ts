/** From whatever was thrown to what the command line says and how it ends. */
import { CommanderError } from 'commander'
import { InvalidOptionError, ShardloomError } from '../errors.js'

export interface Failure {
  readonly code: string
  readonly message: string
  readonly exitCode: number
  /** Only of an error that nobody foresaw, and only when asked for. */
  readonly stack?: string
}

/** Code of errors that are no ShardloomError: a bug, or a failure of the system that has no class of its own. */
export const UNEXPECTED_CODE = 'SHARDLOOM_UNEXPECTED'

/**
 * Whether a flag is on the command line. For errors that come before or while options are parsed, when nobody else
 * knows yet; what follows `--` is no flag.
 */
export function wantsFlag(args: readonly string[], flag: string): boolean {
  const end = args.indexOf('--')
  return (end < 0 ? args : args.slice(0, end)).includes(flag)
}

export function wantsJsonLogs(args: readonly string[]): boolean {
  return wantsFlag(args, '--log-format=json') || args.some((arg, i) => arg === '--log-format' && args[i + 1] === 'json')
}

export function describeFailure(error: unknown, args: readonly string[], env = process.env): Failure {
  if (error instanceof ShardloomError) {
    const { code, message, exitCode } = error
    return { code, message, exitCode }
  }
  if (error instanceof CommanderError) {
    const { code, message, exitCode } = new InvalidOptionError(usageMessage(error, args))
    return { code, message, exitCode }
  }
  const message = error instanceof Error ? error.message : String(error)
  const failure = { code: UNEXPECTED_CODE, message, exitCode: 1 }
  const wantsStack = wantsFlag(args, '--verbose') || (env['DEBUG'] ?? '') !== ''
  if (error instanceof Error && error.stack !== undefined) {
    return wantsStack
      ? { ...failure, stack: error.stack }
      : { ...failure, message: `unexpected: ${message} (--verbose shows where)` }
  }
  return failure
}

/** The result could not be written to standard output: a full disk (3), or something else (1). */
export function unwrittenFailure(error: Error): Failure {
  const isDiskFull = 'code' in error && error.code === 'ENOSPC'
  return {
    code: UNEXPECTED_CODE,
    message: `standard output cannot be written: ${error.message}`,
    exitCode: isDiskFull ? 3 : 1,
  }
}

function usageMessage({ code, message }: CommanderError, args: readonly string[]): string {
  if (code === 'commander.help') return 'no command given; see shardloom --help'
  const command = code === 'commander.unknownCommand' ? undefined : args.find((arg) => !arg.startsWith('-'))
  const what = message.replace(/^error: /, '').replaceAll('\n', ' ')
  return `${what}; see shardloom ${command === undefined ? '' : `${command} `}--help`
}
