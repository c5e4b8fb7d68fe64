/** What must hold between the upper levels' arrays. */
import type { UpperLevel } from './upper.js'

interface Shape {
  /** Nodes of the index. */
  readonly count: number
  readonly m: number
}

/** Every broken rule, in order, as a sentence. Lazy: a caller stops when it has enough. */
export function* upperProblems(levels: readonly UpperLevel[], { count, m }: Shape): Generator<string> {
  for (let i = 0; i < levels.length; i++) {
    const { nodes, links } = levels[i]
    const at = `upper level ${i + 1}`
    if (nodes.length === 0) yield `${at} has no nodes`
    if (links.length !== nodes.length * (1 + m)) yield `${at} has ${links.length} link words for ${nodes.length} nodes`
    yield* nodeProblems(levels[i], levels[i - 1], at, count)
    yield* linkProblems(levels[i], at, m)
  }
}

/** The first of `upperProblems`. */
export function firstUpperProblem(levels: readonly UpperLevel[], shape: Shape): string | undefined {
  for (const problem of upperProblems(levels, shape)) return problem
  return undefined
}

function* nodeProblems(
  { nodes, down }: UpperLevel,
  below: UpperLevel | undefined,
  at: string,
  count: number,
): Generator<string> {
  for (let i = 0; i < nodes.length; i++) {
    const node = nodes[i]
    if (node >= count) yield `${at}, entry ${i}: node ${node} is not below ${count}`
    if (i > 0 && node <= nodes[i - 1]) yield `${at}, entry ${i}: node ${node} follows ${nodes[i - 1]}, not ascending`
    const target = below === undefined ? down[i] : down[i] < below.nodes.length ? below.nodes[down[i]] : undefined
    if (target !== node) yield `${at}, entry ${i}: node ${node} leads down to ${target ?? `entry ${down[i]}`}`
  }
}

function* linkProblems({ nodes, links }: UpperLevel, at: string, m: number): Generator<string> {
  for (let i = 0; i < nodes.length; i++) {
    const row = links.subarray(i * (1 + m), (i + 1) * (1 + m))
    const linked = row[0]
    if (linked > m) {
      yield `${at}, entry ${i}: ${linked} links, at most ${m}`
      continue
    }
    for (let j = 1; j <= m; j++) {
      const to = row[j]
      if (j > linked) {
        if (to !== 0) yield `${at}, entry ${i}: unused link ${j - 1} is ${to}, not 0`
      } else if (to >= nodes.length) {
        yield `${at}, entry ${i}: link to entry ${to} of ${nodes.length}`
      } else if (to === i) {
        yield `${at}, entry ${i}: links to itself`
      } else if (row.indexOf(to, j + 1) > 0 && row.indexOf(to, j + 1) <= linked) {
        yield `${at}, entry ${i}: links to entry ${to} twice`
      }
    }
  }
}
