import { BufferPool } from '../../../spill/buffer-pool.js'
import { Signal } from '../../../spill/signal.js'

/** Room for the output of one task. */
export interface OutputRoom {
  /** Memory of exactly so many bytes, once. */
  acquire(bytes: number): Uint8Array
  /** Gives the room back, with its memory. May be called more than once. */
  readonly release: () => void
}

/**
 * The outputs of tasks that the coordinator has read and not yet used: at most `limit`, which the plan has room for. Any
 * number of hosts may finish at the same time; their results wait in their files.
 */
export class HeldOutputs {
  readonly #pool = new BufferPool()
  readonly #changed = new Signal()
  readonly #usualBytes: number
  #limit: number
  #held = 0

  constructor(limit: number, usualBytes: number) {
    this.#limit = limit
    this.#usualBytes = usualBytes
  }

  get held(): number {
    return this.#held
  }

  /** Waits for room. */
  async room(): Promise<OutputRoom> {
    while (this.#held >= this.#limit) await this.#changed.next()
    this.#held++
    let output: Uint8Array | undefined
    let isHeld = true
    return {
      acquire: (bytes) => {
        output = this.#pool.acquire(Math.max(bytes, this.#usualBytes))
        return output.subarray(0, bytes)
      },
      release: () => {
        if (!isHeld) return
        isHeld = false
        this.#held--
        if (output !== undefined) this.#pool.release(output)
        this.#changed.notify()
      },
    }
  }

  /** No output waits any more: the build ends with an error, and what holds outputs may never release them. */
  lift(): void {
    this.#limit = Infinity
    this.#changed.notify()
  }

  /** Lets go of buffers that nobody uses. */
  clear(): void {
    this.#pool.clear()
  }
}
