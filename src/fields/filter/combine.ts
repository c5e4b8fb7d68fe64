import type { FilterNode } from '../filter-node.js'

export const EVERYTHING: FilterNode = { op: 'all' }
export const NOTHING: FilterNode = { op: 'or', of: [] }

/**
 * All of the nodes, or one of them, in the plainest form: no group holds another one of its kind, `all`, a group of none,
 * or a single node. With `negated` the nodes are negated already, and De Morgan's law makes the one of the other.
 */
export function combined(op: 'and' | 'or', nodes: readonly FilterNode[], negated = false): FilterNode {
  const and = (op === 'and') !== negated
  const [neutral, final] = and ? [EVERYTHING, NOTHING] : [NOTHING, EVERYTHING]
  const of: FilterNode[] = []
  for (const node of nodes) {
    if (isSame(node, final)) return final
    if (isSame(node, neutral)) continue
    if (node.op === (and ? 'and' : 'or')) of.push(...(node as { of: readonly FilterNode[] }).of)
    else of.push(node)
  }
  if (of.length === 0) return neutral
  return of.length === 1 ? of[0] : { op: and ? 'and' : 'or', of }
}

/** `all` or the `or` of none. */
function isSame(node: FilterNode, constant: FilterNode): boolean {
  return node.op === constant.op && (node.op !== 'or' || node.of.length === 0)
}
