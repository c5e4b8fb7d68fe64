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
  readonly #fields: CheckedQueue | undefined
  #lastMs = performance.now()
  #lastBytes = 0
  #written: Promise<void> = Promise.resolve()
  #failure: { readonly error: unknown } | undefined

  constructor(
    journal: Journal,
    paths: BuildPaths,
    { rows, ids, fields }: { rows: CheckedQueue; ids: CheckedQueue; fields: CheckedQueue | undefined },
  ) {
    this.#journal = journal
    this.#paths = paths
    this.#rows = rows
    this.#ids = ids
    this.#fields = fields
  }

  /** `bytes`: of all rows, and of their fields, so far. */
  isDue(bytes: number): boolean {
    if (bytes - this.#lastBytes < CHECKPOINT_BYTES && performance.now() - this.#lastMs < CHECKPOINT_MS) return false
    this.#lastBytes = bytes
    this.#lastMs = performance.now()
    return true
  }

  /** Call this when everything that `facts` counts has been pushed to the queues. */
  note(facts: Omit<IngestEntry, 'kind' | 'rowBatches' | 'idBatches' | 'fieldBatches'>): void {
    const fields = this.#fields
    const rowBatches = this.#rows.pushedBatches
    const idBatches = this.#ids.pushedBatches
    const fieldBatches = fields?.pushedBatches
    this.#written = this.#written.then(async () => {
      try {
        await this.#rows.stored(rowBatches)
        await this.#ids.stored(idBatches)
        if (fieldBatches !== undefined) await fields?.stored(fieldBatches)
        const files = [this.#rows, this.#ids, ...(fields === undefined ? [] : [fields])].flatMap((queue) =>
          queue.takeUnsyncedFiles(),
        )
        const entry = { kind: 'ingest', ...facts, rowBatches, idBatches } as const
        this.#journal.append(fieldBatches === undefined ? entry : { ...entry, fieldBatches }, files, [
          this.#paths.spillDir,
        ])
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
