/** `--metrics-file`: how a build ended, for node_exporter's textfile collector. */
import { lstat, readFile } from 'node:fs/promises'
import path from 'node:path'
import { PathError } from '../../errors.js'
import { OutputFile } from '../../interop/output-file.js'
import { systemErrorCode, writeFailure } from '../../format/bytes/file-errors.js'
import { failureMetrics, reportMetrics } from '../../report/metrics/report-metrics.js'
import type { BuildReport } from '../../api/report.js'
import { describeFailure } from '../failure.js'
import type { Terminal } from '../screen/terminal.js'

/** A file of metrics is some kilobytes; what is larger is something else. */
const MAX_BYTES = 2 ** 20

/** @throws PathError before a build, which may take hours, for a place where no metrics can be put. */
export async function checkMetricsFile(file: string): Promise<void> {
  // The collector reads no other name, and says nothing.
  if (!file.endsWith('.prom'))
    throw new PathError(file, 'a file of metrics must end with .prom: the collector reads no other')
  try {
    await lstat(path.dirname(file))
    await textOf(file)
  } catch (error) {
    throw writeFailure(file, 0, error)
  }
}

export async function writeReportMetrics(file: string, report: BuildReport): Promise<void> {
  await replace(file, reportMetrics(report))
}

/** What the build failed with stays the error: metrics that cannot be written are a warning beside it. */
export async function writeFailureMetrics(
  file: string,
  out: string,
  error: unknown,
  terminal: Terminal,
): Promise<void> {
  try {
    const { code } = describeFailure(error, [])
    await replace(file, failureMetrics({ path: path.resolve(out), code, before: await textOf(file) }))
  } catch (unwritten) {
    terminal.warn(`no metrics: ${unwritten instanceof Error ? unwritten.message : String(unwritten)}`)
  }
}

/** Whole or not at all: the collector may read at any moment. */
async function replace(file: string, text: string): Promise<void> {
  const output = await OutputFile.create(file)
  try {
    await output.write(Buffer.from(text))
    await output.finish()
    await output.publish()
  } catch (error) {
    // What failed is the error to tell, not that its traces could not be removed.
    await output.discard().catch(() => undefined)
    throw error
  }
}

/** What is there; '' when nothing is. @throws PathError for what is no file of metrics */
async function textOf(file: string): Promise<string> {
  try {
    const stats = await lstat(file)
    if (!stats.isFile() || stats.size > MAX_BYTES) {
      throw new PathError(file, 'what is there is no file of metrics, and is not replaced; name another file')
    }
    return await readFile(file, 'utf8')
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return ''
    throw error
  }
}
