/** Runs tasks one at a time, in the order of the calls. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#last.then(task)
    // A failed task is its caller's to handle; the next turn comes all the same.
    this.#last = Promise.allSettled([result])
    return result
  }
}
