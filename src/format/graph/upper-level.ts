export interface UpperLevel {
  /** The level's nodes, ascending. */
  readonly nodes: Uint32Array
  /** For each: its index in the arrays of the level below; on level 1 the node itself. */
  readonly down: Uint32Array
  /** For each: a count, then room for M indexes into this level's arrays; unused words are 0. */
  readonly links: Uint32Array
}
