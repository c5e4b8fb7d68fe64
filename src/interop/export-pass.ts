/** What every writer of a format is given, and how it goes through the nodes. */
import { AbortedError } from '../errors.js'
import type { LabelKind } from './labels.js'
import type { ExportProgress } from '../options/export-options.js'
import type { OutputFile } from './output-file.js'
import type { StoredGraph } from './stored-graph.js'

/** Of one array of rows. Links, vectors and the records made of them are there at once. */
const RUN_BYTES = 2 * 2 ** 20

export class ExportPass {
  /** Of the whole file; the writer knows when it begins. */
  totalBytes = 0
  readonly #signal: AbortSignal | undefined
  readonly #onProgress: ((progress: ExportProgress) => void) | undefined

  constructor(
    readonly graph: StoredGraph,
    readonly out: OutputFile,
    readonly labels: LabelKind,
    hooks: { signal?: AbortSignal; onProgress?: (progress: ExportProgress) => void },
  ) {
    this.#signal = hooks.signal
    this.#onProgress = hooks.onProgress
  }

  /**
   * How many nodes to do next, until all are done: about 2 MiB of `recordBytes` each, and at most `most`.
   * @throws AbortedError between two of them
   */
  *runs(recordBytes: number, most = Infinity): Generator<number, void, void> {
    const { count } = this.graph.manifest
    const run = Math.max(1, Math.min(most, Math.floor(RUN_BYTES / recordBytes)))
    for (let done = 0; done < count; done += run) {
      this.checkpoint()
      yield Math.min(run, count - done)
    }
  }

  /** Between two pieces of work. @throws AbortedError */
  checkpoint(): void {
    if (this.#signal?.aborted === true) throw interrupted(this.#signal)
    this.#onProgress?.({ bytesWritten: this.out.length, totalBytes: this.totalBytes })
  }
}

export function interrupted(signal: AbortSignal): AbortedError {
  return new AbortedError(signal.reason, 'the export was interrupted; no file was written')
}
