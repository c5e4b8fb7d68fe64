import type { ProgressEvent } from '../../api/build.js'
import type { StageName } from '../../api/report.js'

export interface FinishedStage {
  readonly name: StageName
  readonly seconds: number
}

/** Derives the finished stages and their times from progress events: the first event of a stage ends the one before. */
export class StageClock {
  readonly finished: FinishedStage[] = []
  #last: ProgressEvent | undefined
  #startedSeconds = 0

  /** The last event, which is from the running stage. */
  get last(): ProgressEvent | undefined {
    return this.#last
  }

  /** Seconds since the running stage began. */
  get runningSeconds(): number {
    return this.#last === undefined ? 0 : this.#last.elapsedSeconds - this.#startedSeconds
  }

  /** Returns the last event of the stage that `event` shows to be finished. */
  update(event: ProgressEvent): ProgressEvent | undefined {
    const ended = this.#last !== undefined && this.#last.stage !== event.stage ? this.#last : undefined
    if (ended !== undefined) this.finish()
    this.#last = event
    return ended
  }

  /** Call when the running stage has ended and the next is not known yet. */
  finish(): void {
    if (this.#last === undefined) return
    this.finished.push({ name: this.#last.stage, seconds: this.runningSeconds })
    this.#startedSeconds = this.#last.elapsedSeconds
    this.#last = undefined
  }
}
