/** The arrays of one level above 0. */
export interface UpperLevel {
  /** The level's nodes, ascending. */
  readonly nodes: Uint32Array
  /** For each node: its index in the arrays of the level below; on level 1 the node itself. */
  readonly down: Uint32Array
  /** For each node: a count, then room for m indexes into this level's arrays; unused words are 0. */
  readonly links: Uint32Array
}
