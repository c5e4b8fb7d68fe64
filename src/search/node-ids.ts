/** From a node to the caller's id. Stored ids stay encoded bytes: a string is made for a hit, not for a vector. */
import { decodeId, type IdsView } from '../format/ids.js'
import type { Id } from '../types.js'

export interface NodeIds {
  /** @throws CorruptIndexError */
  idOf(node: number): Id
}

/** `ranges` cover all nodes, ascending by `firstNode`. */
export function storedIds(ranges: readonly { readonly firstNode: number; readonly ids: IdsView }[]): NodeIds {
  return {
    idOf(node) {
      let low = 0
      let high = ranges.length
      while (low < high) {
        const middle = (low + high) >>> 1
        if (ranges[middle].firstNode <= node) low = middle + 1
        else high = middle
      }
      const { firstNode, ids } = ranges[low - 1]
      return decodeId(ids, node - firstNode)
    },
  }
}
