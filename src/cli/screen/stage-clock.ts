import type { ProgressEvent } from '../../api/build.js'
import type { StageName } from '../../api/report.js'

export interface FinishedStage {
  readonly name: StageName
  readonly seconds: number
}

/** Tells from progress events which stages are finished, and how long each took: the next one's first event ends it. */
export class StageClock {
  readonly finished: FinishedStage[] = []
  #last: ProgressEvent | undefined
  #startedSeconds = 0

  /** The event that came last: of the stage that is running. */
  get last(): ProgressEvent | undefined {
    return this.#last
  }

  /** Seconds that the running stage has taken so far. */
  get runningSeconds(): number {
    return this.#last === undefined ? 0 : this.#last.elapsedSeconds - this.#startedSeconds
  }

  /** Gives the last event of the stage that this one shows to be finished. */
  update(event: ProgressEvent): ProgressEvent | undefined {
    const ended = this.#last !== undefined && this.#last.stage !== event.stage ? this.#last : undefined
    if (ended !== undefined) this.finish()
    this.#last = event
    return ended
  }

  /** The running stage has ended, and no other is known yet. */
  finish(): void {
    if (this.#last === undefined) return
    this.finished.push({ name: this.#last.stage, seconds: this.runningSeconds })
    this.#startedSeconds = this.#last.elapsedSeconds
    this.#last = undefined
  }
}
