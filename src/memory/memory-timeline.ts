import type { MemorySample } from '../api/report.js'

/** Samples come so often: the picture of a short build is as fine as it can be. */
const FIRST_INTERVAL_SECONDS = 0.25
/** A report stays small however long the build: above this many samples every second one goes. */
const MOST_SAMPLES = 256

/** Four samples a second; of a long build one every half, one, two, … seconds, evenly over its whole time. */
export class MemoryTimeline {
  #samples: MemorySample[] = []
  #intervalSeconds = FIRST_INTERVAL_SECONDS

  /** Keeps the sample when the last one kept is old enough. */
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
