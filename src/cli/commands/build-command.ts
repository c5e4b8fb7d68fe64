import path from 'node:path'
import { preferWideTile } from '../../../kernel/wide-tile.js'
import type { BuildOptions } from '../../api/build.js'
import type { BuildReport } from '../../api/report.js'
import { IndexLockedError, InvalidOptionError, MiscompiledError } from '../../errors.js'
import { BUILD_OPTIONS, type BUILD_COMMAND_OPTIONS } from '../../options/build-options.js'
import { withoutPassword } from '../../options/cluster/without-password.js'
import type { CONFIG_FLAGS } from '../../options/command-options.js'
import type { OptionLayer } from '../../options/config/merge-options.js'
import type { ShardloomConfig } from '../../options/config/define-config.js'
import { buildIndex } from '../../pipeline/build-index.js'
import { IDLE_COMPONENTS, runHereUpTo } from '../../tasks/own-thread.js'
import { isResumable } from '../../pipeline/run/workspace.js'
import { shellWord } from '../../report/shell-word.js'
import { openVectorFiles } from '../../sources/open-vector-file.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { clusterOf } from '../flags/cluster-flags.js'
import { settleBuild } from '../files/settle-build.js'
import { interruptible } from '../interruptible.js'
import { buildSummary } from '../print/build-summary.js'
import { configJson, configLines } from '../print/config-lines.js'
import { openBuildView } from '../screen/build-view.js'
import type { Terminal } from '../screen/terminal.js'
import type { Session } from '../session.js'

type BuildFlags = OptionsOf<typeof BUILD_COMMAND_OPTIONS & typeof CONFIG_FLAGS>

export const buildCommand: CommandBody<BuildFlags, void> = { run }

async function run(flags: BuildFlags, { terminal }: Session, given: OptionLayer): Promise<void> {
  const build = await settleBuild(given, flags.config)
  const { options } = build
  if (options.logFormat === 'json') await terminal.logJson()
  if (options.quiet !== true) for (const message of build.warnings) terminal.warn(message)
  if (flags.printConfig) {
    if (flags.json) terminal.printJson(configJson(build))
    else for (const line of configLines(build)) terminal.print(line)
    return
  }
  // Nothing but this build runs in the process, so its engine's flag may be set.
  preferWideTile()
  const inputs = inputsOf(options)
  const out = outOf(options)
  // The modules of pages and metrics are loaded only for their flags.
  const { metricsFile, report: page } = options
  const pages = page === undefined ? undefined : await import('../files/write-report-page.js')
  if (page !== undefined) await (await import('../files/report-file.js')).checkReportFile(page)
  const metrics = metricsFile === undefined ? undefined : await import('../files/metrics-file.js')
  if (metricsFile !== undefined) await metrics?.checkMetricsFile(metricsFile)
  const report = await interruptible(terminal, (signal) =>
    buildFrom(inputs, { ...options, path: out }, { verbose: flags.verbose, terminal, signal }),
  ).catch(async (error: unknown) => {
    // What is kept after wrong distances may hold more of them.
    const mayGoOn = !(error instanceof IndexLockedError || error instanceof MiscompiledError)
    if (options.resume !== false && mayGoOn && (await isResumable(out))) {
      terminal.log(`finished work is kept in ${path.join(out, 'build')}; ${howToResume(process.argv.slice(2))}`)
    }
    if (metricsFile !== undefined) await metrics?.writeFailureMetrics(metricsFile, out, error, terminal)
    throw error
  })
  // The index is live: before anything that may still fail.
  if (metricsFile !== undefined) await metrics?.writeReportMetrics(metricsFile, report)
  if (flags.json) terminal.printJson(report)
  else if (options.quiet !== true) for (const line of buildSummary(report, out)) terminal.print(line)
  if (page !== undefined) {
    const { memory, quiet } = options
    await pages?.writeBuildPage(report, { path: out, out: page, memory, quiet }, terminal)
  }
}

/** The same command resumes the build; a flag gives up the finished work. */
function howToResume(args: readonly string[]): string {
  const command = ['shardloom', ...args].map((arg) => shellWord(withoutPassword(arg))).join(' ')
  return `to go on, run the same command again: ${command}; --no-resume starts afresh`
}

function inputsOf({ input = [] }: ShardloomConfig): readonly string[] {
  const inputs = typeof input === 'string' ? [input] : input
  if (inputs.length > 0) return inputs
  throw new InvalidOptionError(
    'no input: name files of vectors, or - for standard input, or set input in a configuration file; ' +
      'see shardloom build --help',
  )
}

function outOf({ path: out }: ShardloomConfig): string {
  if (out !== undefined) return out
  throw new InvalidOptionError(
    'no index directory: pass --out DIR, or set path in a configuration file; see shardloom build --help',
  )
}

type GivenBuild = ShardloomConfig & { readonly path: string }

/** The options of `buildIndex`, without the command's own. */
function ofLibrary(given: GivenBuild): BuildOptions {
  // The file says what its fields are; hosts are given by several options.
  const entries = Object.entries(given).filter(
    ([name]) => name !== 'fields' && name !== 'cluster' && Object.hasOwn(BUILD_OPTIONS, name),
  )
  const cluster = clusterOf(given)
  return { path: given.path, ...Object.fromEntries(entries), ...(cluster !== undefined && { cluster }) }
}

interface BuildHooks {
  readonly verbose: boolean
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

async function buildFrom(
  inputs: readonly string[],
  given: GivenBuild,
  { verbose, terminal, signal }: BuildHooks,
): Promise<BuildReport> {
  const { ids, vectorColumn, idColumn, fields: wanted, quiet = false, logFormat } = given
  const options = ofLibrary(given)
  const file = await openVectorFiles(inputs, {
    ids,
    vectorColumn,
    idColumn,
    fields: wanted,
    invalid: options.invalid,
    dimensions: options.dimensions,
  })
  let report: BuildReport | undefined
  const view = quiet ? undefined : await openBuildView(terminal, { verbose, json: logFormat === 'json' })
  try {
    if (inputs.includes('-') && process.stdin.isTTY && !quiet) {
      terminal.log('reading JSON lines from the terminal: {"id": "a", "vector": [1, 2]}; Ctrl-D ends')
    }
    const { count, dimensions, fields } = file
    const fingerprint = await file.fingerprint()
    // Known counts let the plan refuse before a row is read. A pipe gives its bytes once, and has no fingerprint: its
    // build cannot be resumed.
    const source = Object.assign((startAt: number) => file.batches(startAt), {
      facts: () => Promise.resolve({ count, dimensions, fields, fingerprint }),
    })
    const complete: BuildOptions = {
      ...options,
      signal,
      ...(view !== undefined && { logger: view.logger, onProgress: view.onProgress }),
    }
    runHereUpTo(IDLE_COMPONENTS)
    report = await buildIndex(source, complete)
    return report
  } finally {
    view?.end(report)
    await file.close()
  }
}
