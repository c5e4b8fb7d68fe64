import type { DurableQueue } from '../../../spill/durable-queue.js'
import type { BuildPaths } from '../run/run.js'
import type { IngestEntry, Journal } from '../resume/journal.js'

const CHECKPOINT_MS = 2000
const CHECKPOINT_BYTES = 64 * 2 ** 20

type CheckedQueue = Pick<DurableQueue, 'pushedBatches' | 'stored' | 'takeUnsyncedFiles'>

/** Records in the journal how much of the stream is in files, from time to time and without blocking the stream. */
export class IngestCheckpoints {
  readonly #journal: Journal
  readonly #paths: BuildPaths
  readonly #rows: CheckedQueue
  readonly #ids: CheckedQueue
  #lastMs = performance.now()
  #lastBytes = 0
  #written: Promise<void> = Promise.resolve()
  #failure: { readonly error: unknown } | undefined

  constructor(journal: Journal, paths: BuildPaths, rows: CheckedQueue, ids: CheckedQueue) {
    this.#journal = journal
    this.#paths = paths
    this.#rows = rows
    this.#ids = ids
  }

  /** `bytes`: the bytes of all rows so far. */
  isDue(bytes: number): boolean {
    if (bytes - this.#lastBytes < CHECKPOINT_BYTES && performance.now() - this.#lastMs < CHECKPOINT_MS) return false
    this.#lastBytes = bytes
    this.#lastMs = performance.now()
    return true
  }

  /** Call this when everything that `facts` counts has been pushed to the queues. */
  note(facts: Omit<IngestEntry, 'kind' | 'rowBatches' | 'idBatches'>): void {
    const rowBatches = this.#rows.pushedBatches
    const idBatches = this.#ids.pushedBatches
    this.#written = this.#written.then(async () => {
      try {
        await this.#rows.stored(rowBatches)
        await this.#ids.stored(idBatches)
        const files = [...this.#rows.takeUnsyncedFiles(), ...this.#ids.takeUnsyncedFiles()]
        this.#journal.append({ kind: 'ingest', ...facts, rowBatches, idBatches }, files, [this.#paths.spillDir])
      } catch (error) {
        this.#failure ??= { error }
      }
    })
  }

  /** Resolves when all entries are written; throws the first failure. */
  async written(): Promise<void> {
    await this.#written
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
