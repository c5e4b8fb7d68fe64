/** `--metrics-file`: writes how a build ended, for node_exporter's textfile collector. */
import { lstat, readFile } from 'node:fs/promises'
import path from 'node:path'
import { PathError } from '../../errors.js'
import { OutputFile } from '../../interop/output-file.js'
import { systemErrorCode, writeFailure } from '../../format/bytes/file-errors.js'
import { failureMetrics, reportMetrics } from '../../report/metrics/report-metrics.js'
import type { BuildReport } from '../../api/report.js'
import { describeFailure } from '../failure.js'
import type { Terminal } from '../screen/terminal.js'
import { messageOf } from '../../runtime/realms.js'

/** A file of metrics has a few kilobytes; a larger file is something else. */
const MAX_BYTES = 2 ** 20

/** Checks `file` before a build, which may take hours. @throws PathError when no metrics can be written there */
export async function checkMetricsFile(file: string): Promise<void> {
  // The collector ignores other names silently.
  if (!file.endsWith('.prom'))
    throw new PathError(file, 'the name of a file of metrics must end with .prom; the collector reads no other')
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

/** Only warns when the metrics cannot be written: the error to report is the error of the build. */
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
    terminal.warn(`no metrics: ${messageOf(unwritten)}`)
  }
}

/** Replaces the file at once, because the collector may read at any moment. */
async function replace(file: string, text: string): Promise<void> {
  const output = await OutputFile.create(file)
  try {
    await output.write(Buffer.from(text))
    await output.finish()
    await output.publish()
  } catch (error) {
    // Reports the first error, not a failure to remove the partial file.
    await output.discard().catch(() => undefined)
    throw error
  }
}

/** The text of the file; '' when it does not exist. @throws PathError when it is not a file of metrics */
async function textOf(file: string): Promise<string> {
  try {
    const stats = await lstat(file)
    if (!stats.isFile() || stats.size > MAX_BYTES) {
      throw new PathError(file, 'it exists and is not a file of metrics, so it is not replaced; name another file')
    }
    return await readFile(file, 'utf8')
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return ''
    throw error
  }
}
