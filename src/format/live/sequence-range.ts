/** The first and the last of sequences that come in any order; both 0 of none. */
export class SequenceRange {
  #first = Infinity
  last = 0

  get first(): number {
    return Math.min(this.#first, this.last)
  }

  add(sequence: number): void {
    this.#first = Math.min(this.#first, sequence)
    this.last = Math.max(this.last, sequence)
  }
}
