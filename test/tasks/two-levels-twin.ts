/** Routing in two levels, candidate by candidate. Rows are whole numbers, so every distance is exact. */
export function twoLevelsTwin(given: {
  readonly rows: readonly number[]
  readonly leaderRows: readonly number[]
  readonly handicaps: readonly number[]
  readonly dims: number
  readonly fanOut: number
}): number[] {
  const { dims, fanOut, handicaps } = given
  const rows = rowsOf(given.rows, dims)
  const leaders = rowsOf(given.leaderRows, dims)
  const coarseCount = Math.ceil(Math.sqrt(leaders.length))
  const step = Math.floor(leaders.length / coarseCount)
  const coarse = Array.from({ length: coarseCount }, (_, i) => leaders[i * step])
  const cellOf = leaders.map((leader) => nearestOf(leader, coarse, 1)[0])
  return rows.flatMap((row) => {
    const probed = new Set(nearestOf(row, coarse, 4))
    const candidates = Array.from(leaders.keys()).filter((leader) => probed.has(cellOf[leader]))
    const distances = candidates.map((leader) => squaredL2(row, leaders[leader]) + handicaps[leader])
    const order = Array.from(candidates.keys()).sort((a, b) => distances[a] - distances[b] || a - b)
    const found = order.map((i) => candidates[i])
    // A row that finds fewer leaders repeats its nearest one.
    return Array.from({ length: fanOut }, (_, i) => found.at(i) ?? found.at(0) ?? 0)
  })
}

function rowsOf(values: readonly number[], dims: number): number[][] {
  return Array.from({ length: values.length / dims }, (_, i) => values.slice(i * dims, (i + 1) * dims))
}

function nearestOf(row: readonly number[], others: readonly number[][], k: number): number[] {
  const distances = others.map((other) => squaredL2(row, other))
  return Array.from(others.keys())
    .sort((a, b) => distances[a] - distances[b] || a - b)
    .slice(0, k)
}

function squaredL2(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, component, d) => sum + (component - b[d]) ** 2, 0)
}
