/** Where rows come from. */
export interface RowSource {
  readonly count: number
  readonly strideBytes: number
  /** Fills `into` with `count` rows from `first` on. Synchronous. Throws when they cannot be read, or are damaged. */
  read(first: number, count: number, into: Uint8Array): void
}
