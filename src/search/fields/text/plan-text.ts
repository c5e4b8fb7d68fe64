import { inverseFrequency } from '../../../fields/text/bm25.js'
import { queryTerms } from '../../../fields/text/tokens.js'
import { FrequentTerms } from './frequent-terms.js'
import type { TextPart } from './text-part.js'

/** Words that a beginning of a word stands for. */
export const MOST_LONGER_TERMS = 128

/** Terms that count as one: as often as all of them are there. */
export interface WeightedTerms {
  readonly terms: readonly string[]
  readonly weight: number
}

/** A query for one field, with the statistics of all parts: a score does not depend on the part that a node is in. */
export interface TextPlan {
  readonly terms: readonly WeightedTerms[]
  /** Of a text, in all parts. */
  readonly averageLength: number
}

export interface TextQuery {
  /** Any of its words. */
  readonly text: string
  /**
   * Whether the last word may be the beginning of longer ones, when nothing follows it: "solar pan" finds panels. Texts
   * with the word itself rank above those with longer words that are as frequent. Default true.
   */
  readonly prefix?: boolean
}

/** Weighs the terms of a query by what is in `parts`: one field of all parts of an index. */
export function planText(parts: readonly TextPart[], { text, prefix = true }: TextQuery): TextPlan {
  const documents = sum(parts, (part) => part.documents)
  const tokens = sum(parts, (part) => part.tokens)
  const { terms, open } = queryTerms(text)
  const times = new Map<string, number>()
  for (const term of terms) times.set(term, (times.get(term) ?? 0) + 1)
  const weighted: WeightedTerms[] = []
  for (const [term, count] of times) {
    const withTerm = sum(parts, (part) => part.frequency(term))
    if (withTerm > 0) weighted.push({ terms: [term], weight: count * inverseFrequency(documents, withTerm) })
  }
  const last = terms.at(-1)
  if (prefix && open && last !== undefined) {
    const longer = longerTerms(parts, last)
    if (longer !== undefined)
      weighted.push({ ...longer, weight: inverseFrequency(documents, Math.min(documents, longer.nodes)) })
  }
  return { terms: weighted, averageLength: documents === 0 ? 0 : tokens / documents }
}

/**
 * The most frequent of the longer terms, in all parts, and the nodes that have them or the prefix, those that have several
 * of them counted again: longer words weigh no more than the word itself.
 */
function longerTerms(
  parts: readonly TextPart[],
  prefix: string,
): { readonly terms: readonly string[]; readonly nodes: number } | undefined {
  const found = new Set(parts.flatMap((part) => [...part.longerTerms(prefix, MOST_LONGER_TERMS).keys()]))
  const frequent = new FrequentTerms(MOST_LONGER_TERMS)
  for (const term of found)
    frequent.add(
      term,
      sum(parts, (part) => part.frequency(term)),
    )
  if (found.size === 0) return undefined
  let nodes = sum(parts, (part) => part.frequency(prefix))
  for (const each of frequent.kept.values()) nodes += each
  return { terms: [...frequent.kept.keys()], nodes }
}

function sum(parts: readonly TextPart[], of: (part: TextPart) => number): number {
  return parts.reduce((total, part) => total + of(part), 0)
}
