/** `shardloom build`: loaded when it runs, so that other commands start without it. */
import path from 'node:path'
import type { Command } from 'commander'
import { buildIndex } from '../../pipeline/build-index.js'
import { isResumable } from '../../pipeline/run/workspace.js'
import { BUILD_OPTIONS } from '../../options/build-options.js'
import type { ShardloomConfig } from '../../options/define-config.js'
import { IndexLockedError, InvalidOptionError } from '../../errors.js'
import { openVectorFiles } from '../../sources/open-vector-file.js'
import type { BuildOptions } from '../../api/build.js'
import type { BuildReport } from '../../api/report.js'
import { buildSummary } from '../screen/build-summary.js'
import { openBuildView } from '../screen/build-view.js'
import { interruptible } from '../interruptible.js'
import { configJson, configLines, readBuildFlags } from '../flags/read-build-flags.js'
import { shellWord } from '../../report/shell-word.js'
import type { CommonFlags, Session } from '../session.js'
import type { Terminal } from '../screen/terminal.js'

interface BuildFlags extends CommonFlags {
  readonly printConfig?: boolean
  readonly verbose?: boolean
}

export async function runBuildCommand(inputs: readonly string[], command: Command, session: Session): Promise<void> {
  const { terminal } = session
  const flags = command.opts<BuildFlags>()
  const build = await readBuildFlags(inputs, command)
  if (flags.printConfig === true) {
    if (flags.json === true) terminal.printJson(configJson(build))
    else for (const line of configLines(build)) terminal.print(line)
    return
  }
  const { options } = build
  if (options.logFormat === 'json') await terminal.logJson()
  const files = inputsOf(options.input)
  const out = outOf(options)
  // Pages and metrics are loaded only where they are wanted.
  const { metricsFile, report: page } = options
  const pages = page === undefined ? undefined : await import('../files/write-report-page.js')
  if (page !== undefined) await (await import('../files/report-file.js')).checkReportFile(page)
  const metrics = metricsFile === undefined ? undefined : await import('../files/metrics-file.js')
  if (metricsFile !== undefined) await metrics?.checkMetricsFile(metricsFile)
  const report = await interruptible(terminal, (signal) =>
    buildFrom(files, { ...options, path: out }, flags, terminal, signal),
  ).catch(async (error: unknown) => {
    if (options.resume !== false && !(error instanceof IndexLockedError) && (await isResumable(out))) {
      terminal.log(`what is finished is kept in ${path.join(out, 'build')}; ${howToGoOn(process.argv.slice(2))}`)
    }
    if (metricsFile !== undefined) await metrics?.writeFailureMetrics(metricsFile, out, error, terminal)
    throw error
  })
  // Before anything else that may fail: the index is live.
  if (metricsFile !== undefined) await metrics?.writeReportMetrics(metricsFile, report)
  if (flags.json === true) terminal.printJson(report)
  else if (options.quiet !== true) for (const line of buildSummary(report, out)) terminal.print(line)
  if (page !== undefined) {
    const { memory, quiet } = options
    await pages?.writeBuildPage(report, { path: out, out: page, memory, quiet }, terminal)
  }
}

/** The same command, which goes on, and how to give up what is kept. */
function howToGoOn(args: readonly string[]): string {
  const command = ['shardloom', ...args].map(shellWord).join(' ')
  return `to go on, run the same command again: ${command}; --no-resume starts afresh`
}

function inputsOf(given: ShardloomConfig['input']): readonly string[] {
  const inputs = given === undefined ? [] : typeof given === 'string' ? [given] : given
  if (inputs.length > 0) return inputs
  throw new InvalidOptionError(
    'no input: name files of vectors, or - for standard input, or set input in a configuration file; ' +
      'see shardloom build --help',
  )
}

function outOf({ path: out }: ShardloomConfig): string {
  if (out !== undefined) return out
  throw new InvalidOptionError(
    'no index directory: say --out DIR, or set path in a configuration file; see shardloom build --help',
  )
}

/** Without what only the command line has. */
function ofLibrary(given: ShardloomConfig & { readonly path: string }): BuildOptions {
  const entries = Object.entries(given).filter(([name]) => Object.hasOwn(BUILD_OPTIONS, name))
  return Object.fromEntries(entries) as unknown as BuildOptions
}

async function buildFrom(
  inputs: readonly string[],
  given: ShardloomConfig & { readonly path: string },
  flags: BuildFlags,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<BuildReport> {
  const { ids, vectorColumn, idColumn, quiet = false, logFormat } = given
  const options = ofLibrary(given)
  const file = await openVectorFiles(inputs, { ids, vectorColumn, idColumn, invalid: options.invalid })
  let report: BuildReport | undefined
  const view = quiet
    ? undefined
    : await openBuildView(terminal, { verbose: flags.verbose === true, json: logFormat === 'json' })
  try {
    if (inputs.includes('-') && process.stdin.isTTY && !quiet) {
      terminal.log('reading JSON lines from the terminal: {"id": "a", "vector": [1, 2]}; Ctrl-D ends')
    }
    const ofFile = await file.fingerprint()
    const complete: BuildOptions = {
      ...options,
      // Known counts let the plan refuse before a row is read.
      count: file.count ?? options.count,
      dimensions: options.dimensions ?? file.dimensions,
      sourceFingerprint: options.sourceFingerprint ?? ofFile,
      signal,
      ...(view !== undefined && { logger: view.logger, onProgress: view.onProgress }),
    }
    // A pipe gives its bytes once: its build cannot be resumed.
    report = await buildIndex(ofFile === undefined ? file.batches() : (startAt) => file.batches(startAt), complete)
    return report
  } finally {
    view?.end(report)
    await file.close()
  }
}
