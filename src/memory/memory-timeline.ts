import type { MemorySample } from '../api/report.js'

/** The interval at which samples arrive: a short build keeps all of them. */
const FIRST_INTERVAL_SECONDS = 0.25
/** Above this many samples every second one is dropped, so that the report of a long build stays small. */
const MOST_SAMPLES = 256

/** Keeps four samples a second; in a long build one every half, one, two, … seconds, evenly over its whole time. */
export class MemoryTimeline {
  #samples: MemorySample[] = []
  #intervalSeconds = FIRST_INTERVAL_SECONDS

  /** Keeps the sample when the last kept one is old enough. */
  add(sample: MemorySample): void {
    const last = this.#samples.at(-1)
    if (last !== undefined && sample.atSeconds < last.atSeconds + this.#intervalSeconds) return
    this.#samples.push(sample)
    if (this.#samples.length <= MOST_SAMPLES) return
    this.#samples = this.#samples.filter((_, index) => index % 2 === 0)
    this.#intervalSeconds *= 2
  }

  get samples(): readonly MemorySample[] {
    return this.#samples
  }
}
