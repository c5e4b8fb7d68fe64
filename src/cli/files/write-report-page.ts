/** Makes the report page: reads the manifest, measures when asked, writes the file. */
import { resolve } from 'node:path'
import { packageVersion } from '../../host/package-version.js'
import { CorruptIndexError, InsufficientMemoryError } from '../../errors.js'
import type { Manifest } from '../../format/generation/manifest.js'
import { generationBefore, readGeneration, readManifest } from '../../format/generation/read-manifest.js'
import { readTunings } from '../../format/generation/tuning.js'
import type { BuildReport } from '../../api/report.js'
import type { RecallCurve } from '../../api/measure.js'
import { PREVIOUS, REPORT_SAMPLE } from '../../options/command-options.js'
import { DEFAULT_K } from '../../options/shared-options.js'
import { defaultEf } from '../../search/default-ef.js'
import { defaultWidths } from '../../search/measure/check-measure-options.js'
import { warnOfChanges } from '../commands/tune-index.js'
import { interruptible } from '../interruptible.js'
import { openPreloaded } from './open-preloaded.js'
import { measureProgressText } from '../print/progress-text.js'
import { readQueries } from './read-queries.js'
import { writeReportFile } from './report-file.js'
import { StatusLine } from '../screen/status-line.js'
import type { Terminal } from '../screen/terminal.js'

export interface PageRequest {
  /** The index directory. */
  readonly path: string
  /** The file to write. */
  readonly out: string
  /** Another index, or an older generation of this one; 'previous' is the newest before the live one. */
  readonly compare?: string
  readonly compareGeneration?: string
  /** Whether to measure recall and speed. Default: when the index is small. */
  readonly recall?: boolean
  readonly queries?: string
  readonly sample?: number
  readonly memory?: number | string
  readonly quiet?: boolean
}

export interface WrittenPage {
  readonly out: string
  readonly bytes: number
  readonly generation: string
  /** The generation that the page compares with. */
  readonly comparedWith?: string
  readonly recall?: RecallCurve
}

/** Recall of an index up to this size is measured by default: it takes a second or two. */
const SMALL_INDEX_BYTES = 200e6
/** @throws PathError, InvalidOptionError, CorruptIndexError, AbortedError */
export async function writeReportPage(request: PageRequest, terminal: Terminal): Promise<WrittenPage> {
  const { manifest, directory } = await readManifest(request.path)
  return writePage({ manifest, directory, before: await comparedWith(request, manifest) }, request, terminal)
}

/**
 * Writes the page of a build that has just ended, compared with the build before when that was kept.
 * @throws as `writeReportPage`
 */
export async function writeBuildPage(report: BuildReport, request: PageRequest, terminal: Terminal): Promise<void> {
  const { manifest, directory } = await readManifest(request.path)
  // `report` also has the last stage, which the manifest lacks. Another build may have been published meanwhile.
  const shown = manifest.generation === report.generation ? { ...manifest, report } : manifest
  const before = await previousOf(request.path, manifest).catch((error: unknown) => {
    if (!(error instanceof CorruptIndexError)) throw error
    terminal.log(`warning: the page does not compare with the build before: ${error.message}`)
    return undefined
  })
  const { out, memory, quiet } = request
  const { bytes } = await writePage(
    { manifest: shown, directory, before },
    { path: request.path, out, memory, quiet },
    terminal,
  )
  if (quiet !== true) terminal.log(`report: ${out} (${Math.ceil(bytes / 1000)} kB)`)
}

interface PageSource {
  readonly manifest: Manifest
  readonly directory: string
  readonly before: Manifest | undefined
}

async function writePage(
  { manifest, directory, before }: PageSource,
  request: PageRequest,
  terminal: Terminal,
): Promise<WrittenPage> {
  const { path, out } = request
  const tunings = await readTunings(directory, manifest.generation)
  const efInUse = defaultEf(tunings, DEFAULT_K)
  const recall = await recallOf(request, manifest, { efInUse, terminal })
  // Loaded here, so that other commands start faster.
  const { reportPage } = await import('../../report/report-page.js')
  const page = reportPage({
    manifest,
    path,
    directory: resolve(path),
    ...(before !== undefined && { before }),
    ...(recall !== undefined && { recall }),
    tunings,
    efInUse,
    madeAt: new Date().toISOString(),
    version: packageVersion(),
  })
  return {
    out,
    bytes: await writeReportFile(out, page),
    generation: manifest.generation,
    ...(before !== undefined && { comparedWith: before.generation }),
    ...(recall !== undefined && { recall }),
  }
}

async function comparedWith(
  { path, compare, compareGeneration }: PageRequest,
  manifest: Manifest,
): Promise<Manifest | undefined> {
  if (compare !== undefined) return (await readManifest(compare)).manifest
  if (compareGeneration === PREVIOUS) return previousOf(path, manifest)
  return compareGeneration === undefined ? undefined : (await readGeneration(path, compareGeneration)).manifest
}

async function previousOf(path: string, { generation }: Manifest): Promise<Manifest | undefined> {
  const previous = await generationBefore(path, generation)
  return previous === undefined ? undefined : (await readGeneration(path, previous)).manifest
}

/** Undefined when recall is not measured. */
async function recallOf(
  request: PageRequest,
  { count, dimensions }: Manifest,
  { efInUse, terminal }: { readonly efInUse: number; readonly terminal: Terminal },
): Promise<RecallCurve | undefined> {
  const isAsked = request.recall === true || request.queries !== undefined || request.sample !== undefined
  const isSmall = count > 1 && 4 * count * dimensions <= SMALL_INDEX_BYTES
  if (request.recall === false || !(isAsked || isSmall)) return undefined
  try {
    // The width in use is measured too, so that the curve can mark it.
    return await measure(request, [...defaultWidths(DEFAULT_K, count), efInUse], terminal)
  } catch (error) {
    if (isAsked || !(error instanceof InsufficientMemoryError)) throw error
    terminal.log(`warning: recall and speed are not on the page: ${error.message}`)
    return undefined
  }
}

async function measure(
  { path, queries, sample = REPORT_SAMPLE, memory, quiet = false }: PageRequest,
  ef: readonly number[],
  terminal: Terminal,
): Promise<RecallCurve> {
  const index = await openPreloaded(path, memory)
  try {
    if (!quiet) warnOfChanges(index, path, terminal)
    const status = new StatusLine(terminal, quiet)
    const asked = queries === undefined ? { sample } : { queries: await readQueries(queries, index.dimensions) }
    return await interruptible(terminal, (signal) =>
      index.recallCurve({
        ...asked,
        ef,
        signal,
        onProgress: (progress) => status.show(() => measureProgressText(progress)),
      }),
    )
  } finally {
    await index.close()
  }
}
