// Rows in other memories: an index larger than one memory has its vectors in several. A search walks in one of them, and
// the host hands the rows of an expansion to the kernels of the memories that have them. Nothing but the numbers of the
// rows and their distances goes over.

/** Computes what `distancesTo` would: for the `count` rows in the context's `ids`, into its `distances`. */
@external("env", "farDistances")
export declare function farDistances(context: usize, kind: u32, count: u32, worst: f32): void

/** Whether two rows are the same, bit by bit: 1 or 0. */
@external("env", "farEqual")
export declare function farEqual(context: usize, kind: u32, a: u32, b: u32): u32
