import type { FilterNode } from '../filter-node.js'

/** The same text for the same filter, whatever the order of its parts; another one for every other. For caches. */
export function filterKey(node: FilterNode): string {
  switch (node.op) {
    case 'all':
      return 'all'
    case 'and':
    case 'or':
      return `${node.op}(${[...new Set(node.of.map(filterKey))].sort().join()})`
    case 'in':
      return leafKey(node, JSON.stringify(node.values))
    case 'range':
      return leafKey(node, JSON.stringify([node.low ?? null, node.lowIncluded, node.high ?? null, node.highIncluded]))
    case 'near':
      return leafKey(node, `${node.lat},${node.lon},${node.km}`)
    case 'exists':
      return leafKey(node, '')
  }
}

function leafKey({ op, field, negated }: { op: string; field: number; negated: boolean }, rest: string): string {
  return `${negated ? '!' : ''}${op}${field}[${rest}]`
}
