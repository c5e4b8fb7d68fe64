/** The ids whose texts fit words best, in all parts of an index. */
import type { Id } from '../../api/vectors.js'
import type { CheckedWords } from '../check-search-options.js'
import { planText } from '../fields/text/plan-text.js'
import { searchText, type SearchedText } from '../fields/text/search-text.js'
import type { AskedPart } from '../find-nearest.js'
import { compareIds } from '../live/search-live.js'
import type { Part } from '../live/part.js'
import { bitsOf, type NodeFilter } from '../filter/node-filter.js'

export interface FoundWords {
  readonly id: Id
  readonly score: number
  readonly part: Part
  readonly row: number
}

/** Where ids repeat, rows of one id take places of others: more are asked for until k ids are found. */
const FIRST_ROWS = 2
const MORE_ROWS = 4

/** At most k ids, each once, by its best row; best first, of equal scores the lesser id first. @throws CorruptIndexError */
export function findWords(
  parts: readonly AskedPart[],
  { text, fields }: CheckedWords,
  k: number,
  repeatedIds: boolean,
): FoundWords[] {
  const plans = fields.map((field) =>
    planText(
      parts.map(({ part }) => part.textOf(field)),
      { text },
    ),
  )
  const found = parts.flatMap(({ part, filter }) => {
    const searched = fields.map((field, at): SearchedText => ({ part: part.textOf(field), plan: plans[at] }))
    return bestOf(part, searched, k, filter, repeatedIds)
  })
  found.sort((a, b) => b.score - a.score || compareIds(a.id, b.id))
  return found.slice(0, k)
}

/** All rows of an id that are alive lie in one part. */
function bestOf(
  part: Part,
  searched: readonly SearchedText[],
  k: number,
  filter: NodeFilter | undefined,
  repeatedIds: boolean,
): FoundWords[] {
  const bits = filter && (filter.bits ?? bitsOf(filter, part.rows))
  for (let wanted = repeatedIds ? FIRST_ROWS * k : k; ; wanted *= MORE_ROWS) {
    const { nodes, scores } = searchText(searched, wanted, bits)
    const found = new Map<Id, FoundWords>()
    for (let i = 0; i < nodes.length && found.size < k; i++) {
      const id = part.idOf(nodes[i])
      if (!found.has(id)) found.set(id, { id, score: scores[i], part, row: nodes[i] })
    }
    if (found.size === k || nodes.length < wanted) return Array.from(found.values())
  }
}
