import { relative, resolve } from 'node:path'
import { InvalidOptionError, PathError } from '../errors.js'
import { readCurrent } from '../format/generation/current.js'
import { lastSequence } from '../format/live/last-sequence.js'
import { readParts } from '../format/live/parts-file.js'
import type { ExportFormat, ExportProgress, LabelKind } from '../api/interop.js'
import type { Metric } from '../api/vectors.js'
import { checkPath } from '../sources/check-path.js'
import { checkOptions } from '../options/check-options.js'
import { exportOptionsSchema } from '../options/export-options.js'
import { ExportPass } from './export-pass.js'
import { labelKindOf } from './labels.js'
import { checkTarget, OutputFile, removeFile } from './output-file.js'
import { openStoredGraph, type StoredGraph } from '../rows/stored-graph.js'
import { writeFvecs } from './fvecs/write-fvecs.js'
import { writeHnswlib } from './hnswlib/write-hnswlib.js'
import { writeFieldLines } from './write-field-lines.js'
import { writeIdLines } from './write-id-lines.js'
import { writeUsearch } from './usearch/write-usearch.js'

export interface ExportOptions {
  // <generated options-export>
  /** The format of the file: 'hnswlib', 'usearch', or 'fvecs' for the vectors alone. */
  readonly format: ExportFormat
  /** The file to write. It appears under its name when it is complete, not before. */
  readonly out: string
  /** Replace a file that exists; otherwise it is refused. Default false. */
  readonly overwrite?: boolean
  /**
   * Export the last build alone when the index was changed since; otherwise that is refused, because the file would
   * lack the changes. Default false.
   */
  readonly baseOnly?: boolean
  /** An `AbortSignal`; once it fires the call rejects with `SHARDLOOM_ABORTED`. */
  readonly signal?: AbortSignal
  /** Called every few MiB. */
  readonly onProgress?: (progress: ExportProgress) => void
  // </generated>
}

export interface ExportReport {
  readonly format: ExportFormat
  readonly out: string
  /** A second file, whose line n, from 0, is the id of label or row n; absent when the labels are the ids. */
  readonly idsFile?: string
  /** A file whose line n, from 0, has the id and the fields of node n; absent when the index has no fields. */
  readonly fieldsFile?: string
  /** What the labels of the file are: the caller's ids, or nodes (the order of the index). */
  readonly labels: LabelKind
  /** Name of the metric in the program that reads the file; absent for fvecs. */
  readonly space?: string
  readonly count: number
  readonly dimensions: number
  readonly metric: Metric
  /** Links per node on levels above 0; level 0 holds up to 2m. */
  readonly m: number
  /** The generation that was exported. */
  readonly generation: string
  /** Rows and deletes that came since that generation and are not in the file; absent when there are none. */
  readonly changesLeftOut?: number
  /** Size of the file, without the file of ids. */
  readonly bytes: number
  readonly seconds: number
}

interface Format {
  readonly write: (pass: ExportPass) => Promise<void>
  readonly spaces?: Readonly<Record<Metric, string>>
}

const FORMATS: Readonly<Record<ExportFormat, Format>> = {
  hnswlib: { write: writeHnswlib, spaces: { l2: 'l2', cosine: 'cosine', ip: 'ip' } },
  usearch: { write: writeUsearch, spaces: { l2: 'l2sq', cosine: 'cos', ip: 'ip' } },
  fvecs: { write: writeFvecs },
}

const IDS_SUFFIX = '.ids.jsonl'
const FIELDS_SUFFIX = '.fields.jsonl'

/**
 * Writes the live generation of the index directory `path` as a file that another program reads. Reads and writes front
 * to back; takes a few MiB, and 4 bytes for each node of the upper levels. Checks every block that it reads.
 *
 * When all ids are integers of at least 0, they become the labels of the file; otherwise labels are nodes, and
 * `out`.ids.jsonl has the ids. Of an index with fields, `out`.fields.jsonl has the id and the fields of each node, as JSON:
 * dates as text of ISO 8601. Vectors under cosine have unit length, as in the index.
 *
 * An index that was changed since its last build is refused, unless `baseOnly` says that the changes are left out.
 * @throws InvalidOptionError, PathError, CorruptIndexError, DiskFullError, AbortedError; then no file was written or
 * replaced
 */
export async function exportIndex(path: string, options: ExportOptions): Promise<ExportReport> {
  const startedMs = performance.now()
  checkPath(path, 'the index directory')
  const { format, overwrite, baseOnly, ...hooks } = checkOptions(exportOptionsSchema, options)
  const out = targetOutside(path, hooks.out)
  const targets = [out, out + IDS_SUFFIX, out + FIELDS_SUFFIX]
  const checkTargets = async (): Promise<void> => {
    for (const target of targets) await checkTarget(target, overwrite)
  }
  await checkTargets()
  const graph = await openBuilt(path)
  const leftOut = await changesAfter(path, graph)
  if (leftOut > 0 && !baseOnly) throw changedError(path, leftOut)
  const labels = format === 'fvecs' ? 'nodes' : await labelKindOf(graph)
  const { fields } = graph.manifest
  const files: OutputFile[] = []
  /** Writes a file beside the exported one, where it has such content. */
  const write = async (suffix: string, content: ((to: OutputFile) => Promise<void>) | undefined): Promise<void> => {
    if (content === undefined) return
    const to = await OutputFile.create(out + suffix)
    files.push(to)
    await content(to)
    await to.finish()
  }
  try {
    const file = await OutputFile.create(out)
    files.push(file)
    const pass = new ExportPass(graph, file, labels, hooks)
    await FORMATS[format].write(pass)
    await file.finish()
    await write(IDS_SUFFIX, labels === 'nodes' ? (to) => writeIdLines(pass, to) : undefined)
    await write(FIELDS_SUFFIX, fields && ((to) => writeFieldLines(pass, to, fields)))
    await checkTargets()
    await publish(files, targets)
  } catch (error) {
    // Reports the first error, not a failure to remove the partial files.
    for (const file of files) await file.discard().catch(() => undefined)
    throw error
  }
  const { count, dimensions, metric, m, generation } = graph.manifest
  const space = FORMATS[format].spaces?.[metric]
  return {
    format,
    out,
    ...(labels === 'nodes' && { idsFile: out + IDS_SUFFIX }),
    ...(fields !== undefined && { fieldsFile: out + FIELDS_SUFFIX }),
    labels,
    ...(space !== undefined && { space }),
    count,
    dimensions,
    metric,
    m,
    generation,
    ...(leftOut > 0 && { changesLeftOut: leftOut }),
    bytes: files[0].length,
    seconds: Math.round(performance.now() - startedMs) / 1000,
  }
}

/**
 * Gives the files their names. What belongs to the exported file comes before it: a reader of the new file then finds its
 * ids, not the ids of a file that was replaced. `files` and `targets` begin with the exported file.
 */
async function publish(files: readonly OutputFile[], targets: readonly string[]): Promise<void> {
  const [file, ...beside] = files
  for (const target of targets.slice(1)) {
    const written = beside.find(({ path }) => path === target)
    if (written === undefined) await removeFile(target)
    else await written.publish()
  }
  await file.publish()
}

/** @throws PathError when there is no index, or none that was built */
async function openBuilt(path: string): Promise<StoredGraph> {
  if ((await readCurrent(path)) === undefined && (await readParts(path)) !== undefined) {
    throw new PathError(path, 'it was never built, and has no graph to export: compact() (shardloom compact) builds it')
  }
  return openStoredGraph(path)
}

/** How many rows and deletes came after the generation. */
async function changesAfter(path: string, { manifest }: StoredGraph): Promise<number> {
  return Math.max(0, (await lastSequence(path)) - (manifest.liveSequence ?? 0))
}

function changedError(path: string, changes: number): InvalidOptionError {
  const made = changes === 1 ? '1 change was' : `${changes} changes were`
  return new InvalidOptionError(
    `${made} made to ${path} since its last build, which is what is exported: call compact() (shardloom compact) ` +
      'first, or pass baseOnly: true (--base-only) to leave them out',
  )
}

/** The absolute path of the file. @throws InvalidOptionError */
function targetOutside(indexDir: string, out: string): string {
  const path = resolve(out)
  if (!relative(resolve(indexDir), path).startsWith('..')) {
    throw new InvalidOptionError(
      `${path} lies in the index directory, which may hold only the index; name another file`,
    )
  }
  return path
}
