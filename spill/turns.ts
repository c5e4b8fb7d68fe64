/** Runs tasks one at a time, in the order of the calls. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task)
    // The caller handles a failed task; the next turn comes all the same.
    this.#last = Promise.allSettled([result])
    return result
  }
}
