/** What the command line prints for an error, and what it ends with. */
import { CommanderError } from 'commander'
import { EXIT_CODES, InvalidOptionError, ShardloomError } from '../errors.js'
import { interruptedExitCode } from './signals.js'
import { isError, messageOf } from '../runtime/realms.js'

export interface Failure {
  readonly code: string
  readonly message: string
  readonly exitCode: number
  /** Only for an unexpected error, with --verbose or DEBUG. */
  readonly stack?: string
}

/** The code of errors that are not ShardloomErrors: a bug, or a failure of the system without a class. */
export const UNEXPECTED_CODE = 'SHARDLOOM_UNEXPECTED'

/**
 * Whether a flag is on the command line, for errors before or while options are parsed. After `--` there are no flags.
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
    const { code, message, kind, exitCode } = error
    return { code, message, exitCode: kind === 'interrupted' ? interruptedExitCode() : exitCode }
  }
  if (error instanceof CommanderError) {
    const { code, message, exitCode } = new InvalidOptionError(usageMessage(error, args))
    return { code, message, exitCode }
  }
  const message = messageOf(error)
  const failure = { code: UNEXPECTED_CODE, message, exitCode: EXIT_CODES.failed }
  const wantsStack = wantsFlag(args, '--verbose') || (env['DEBUG'] ?? '') !== ''
  if (isError(error) && error.stack !== undefined) {
    return wantsStack
      ? { ...failure, stack: error.stack }
      : { ...failure, message: `unexpected: ${message} (--verbose shows where)` }
  }
  return failure
}

/** For a result that could not be written to standard output. */
export function unwrittenFailure(error: Error): Failure {
  const isDiskFull = 'code' in error && error.code === 'ENOSPC'
  return {
    code: UNEXPECTED_CODE,
    message: `standard output cannot be written: ${error.message}`,
    exitCode: isDiskFull ? EXIT_CODES.resources : EXIT_CODES.failed,
  }
}

function usageMessage({ code, message }: CommanderError, args: readonly string[]): string {
  if (code === 'commander.help') return 'no command given; see shardloom --help'
  const command = code === 'commander.unknownCommand' ? undefined : args.find((arg) => !arg.startsWith('-'))
  const what = message.replace(/^error: /, '').replaceAll('\n', ' ')
  return `${what}; see shardloom ${command === undefined ? '' : `${command} `}--help`
}
