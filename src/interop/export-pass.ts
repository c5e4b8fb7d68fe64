import { AbortedError, InvalidOptionError } from '../errors.js'
import { promisedText } from '../wording/value-kind.js'
import type { ExportProgress, LabelKind } from '../api/interop.js'
import type { OutputFile } from './output-file.js'
import type { StoredGraph } from '../rows/stored-graph.js'

/** Bytes of one array of rows. Links, vectors and the records made from them are in memory together. */
const RUN_BYTES = 2 * 2 ** 20

/** One export, as the writers of all formats get it. */
export class ExportPass {
  /** Size of the whole file; set by the writer before it writes. */
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
   * Numbers of nodes to write at a time, until all are written: about 2 MiB of `recordBytes`, and at most `most` nodes.
   * @throws AbortedError between two runs
   */
  *runs(recordBytes: number, most = Infinity): Generator<number, void, void> {
    const { count } = this.graph.manifest
    const run = Math.max(1, Math.min(most, Math.floor(RUN_BYTES / recordBytes)))
    for (let done = 0; done < count; done += run) {
      this.checkpoint()
      yield Math.min(run, count - done)
    }
  }

  /** Call between two pieces of work: reports progress. @throws AbortedError */
  checkpoint(): void {
    if (this.#signal?.aborted === true) throw interrupted(this.#signal)
    const answer: unknown = this.#onProgress?.({ bytesWritten: this.out.length, totalBytes: this.totalBytes })
    const promised = promisedText('onProgress', answer)
    if (promised !== undefined) throw new InvalidOptionError(promised)
  }
}

export function interrupted(signal: AbortSignal): AbortedError {
  return new AbortedError(signal.reason, 'the export was interrupted; no file was written')
}
