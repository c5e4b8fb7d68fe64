/**
 * How far into what a walk found its nodes are surely the nearest. The last places of a beam of w are filled with what the
 * walk happened to meet: nodes that are as near lie behind nodes that it did not expand. So a filter that keeps only such
 * nodes, because all near ones fail it, needs a wider beam, though it has k already.
 */

/** Nodes at the front of a beam of `width` that the wanted ones must be among: with ef = k all, with a wide beam half. */
export function enoughOf(width: number, wanted: number, ef: number): number {
  return (width * (1 + Math.min(1, wanted / ef))) / 2
}

/** The next width: twice as many at least, and enough for `depth`, where it is known. */
export function widened(width: number, depth: number, wanted: number, ef: number): number {
  const needed = depth === Infinity ? 0 : Math.ceil((depth * width) / enoughOf(width, wanted, ef))
  return Math.max(2 * width, needed)
}
