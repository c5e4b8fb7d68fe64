/** Checks the upper levels' arrays, on any run of a level, so that no level need be in memory as a whole. */
import { firstUnsafeRow, linkRowProblem } from './check-links.js'
import type { UpperLevel } from './upper-level.js'

export interface UpperShape {
  /** Nodes of the index. */
  readonly count: number
  readonly m: number
}

/** A level's nodes and their entries in the level below. `down` is a run of the level that begins at entry `first`. */
export interface NodeRun {
  readonly level: number
  readonly nodes: Uint32Array
  readonly down: Uint32Array
  readonly first: number
  /** All nodes of the level below; undefined on level 1. */
  readonly below: Uint32Array | undefined
  /** Nodes of the index. */
  readonly count: number
}

/** The checks that a search relies on. The kernel has faster versions. */
export interface SafetyChecks {
  readonly firstUnsafeRow: typeof firstUnsafeRow
  readonly firstUnsafeEntry: typeof firstUnsafeEntry
}

/** The first entry of a level with a broken rule; undefined when all are sound. */
export function firstUnsafeEntry(level: Omit<NodeRun, 'level' | 'first'>): number | undefined {
  const run = { ...level, first: 0 }
  for (let entry = 0; entry < run.down.length; entry++) if (!isSound(run, entry)) return entry
  return undefined
}

function isSound({ nodes, down, first, below, count }: Omit<NodeRun, 'level'>, i: number): boolean {
  const entry = first + i
  const node = nodes[entry]
  const ascends = entry === 0 || node > nodes[entry - 1]
  const leads = below === undefined ? down[i] === node : down[i] < below.length && below[down[i]] === node
  return node < count && ascends && leads
}

/** All broken rules of a run, as sentences. */
export function* nodeProblems(run: NodeRun): Generator<string> {
  const { level, nodes, down, first, below, count } = run
  for (let i = 0; i < down.length; i++) {
    if (isSound(run, i)) continue
    const entry = first + i
    const node = nodes[entry]
    const at = `level ${level}, entry ${entry}`
    if (node >= count) yield `${at}: node ${node} of ${count}`
    if (entry > 0 && node <= nodes[entry - 1]) yield `${at}: node ${node} follows ${nodes[entry - 1]}, not ascending`
    if (below === undefined) {
      if (down[i] !== node) yield `${at}: node ${node} leads down to node ${down[i]}`
    } else if (down[i] >= below.length) {
      yield `${at}: node ${node} leads down to entry ${down[i]} of ${below.length}`
    } else if (below[down[i]] !== node) {
      yield `${at}: node ${node} leads down to node ${below[down[i]]}`
    }
  }
}

/** All broken rules of a run of link rows that begins at entry `first` of a level of `entries`, as sentences. */
export function* linkProblems(
  links: Uint32Array,
  { level, first, entries, m }: { level: number; first: number; entries: number; m: number },
): Generator<string> {
  for (let at = 0, self = first; at < links.length; at += 1 + m, self++) {
    const problem = linkRowProblem(links, at, { maxLinks: m, targetCount: entries, self })
    if (problem !== undefined) yield `level ${level}, entry ${self}: ${problem}`
  }
}

/**
 * The first broken rule that a search relies on, as a sentence; undefined when all levels are safe to follow. Like
 * `firstUnsafeRow` it skips rules that only cost search time, because opening an index waits for it.
 */
export function firstUpperProblem(
  levels: readonly UpperLevel[],
  { count, m }: UpperShape,
  checks: SafetyChecks = { firstUnsafeRow, firstUnsafeEntry },
): string | undefined {
  for (const [i, { nodes, down, links }] of levels.entries()) {
    const level = i + 1
    if (nodes.length === 0) return `level ${level} has no nodes`
    const below = i === 0 ? undefined : levels[i - 1].nodes
    const unsafe = checks.firstUnsafeEntry({ nodes, down, below, count })
    if (unsafe !== undefined) {
      const run = { level, nodes, down: down.subarray(unsafe), first: unsafe, below, count }
      for (const problem of nodeProblems(run)) return problem
    }
    const entries = nodes.length
    const entry = checks.firstUnsafeRow(links, m, entries)
    if (entry === undefined) continue
    const row = { maxLinks: m, targetCount: entries, self: entry }
    return `level ${level}, entry ${entry}: ${linkRowProblem(links, entry * (1 + m), row)}`
  }
  return undefined
}
