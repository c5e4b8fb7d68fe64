import { queryTerms } from '../../src/fields/text/tokens.js'

/** BM25 as its formula says, over whole texts: what the index is compared with. */
export interface TwinHit {
  readonly node: number
  readonly score: number
}

/** One field: a text by node, or undefined. */
export type Texts = readonly (string | undefined)[]

/** The scores of all nodes that have any term, best first. `statistics`: all texts of the field, in every part. */
export function bm25Twin(fields: readonly Texts[], query: string, prefix: boolean, statistics = fields): TwinHit[] {
  const scores = new Map<number, number>()
  for (const [field, texts] of fields.entries()) {
    for (const { node, score } of scoresOf(texts, statistics[field], query, prefix)) {
      scores.set(node, (scores.get(node) ?? 0) + score)
    }
  }
  return Array.from(scores, ([node, score]) => ({ node, score })).sort((a, b) => b.score - a.score || a.node - b.node)
}

function scoresOf(texts: Texts, all: Texts, query: string, prefix: boolean): TwinHit[] {
  const documents = all.filter((text) => text !== undefined).map((text) => queryTerms(text).terms)
  const average = documents.reduce((sum, terms) => sum + terms.length, 0) / documents.length
  const { terms, open } = queryTerms(query)
  const groups: { isTerm: (term: string) => boolean; weight: number }[] = []
  const having = (isTerm: (term: string) => boolean): number => documents.filter((of) => of.some(isTerm)).length
  const idf = (n: number): number => Math.log(1 + (documents.length - n + 0.5) / (n + 0.5))
  for (const term of terms)
    groups.push({ isTerm: (other) => other === term, weight: idf(having((other) => other === term)) })
  const last = terms.at(-1)
  if (prefix && open && last !== undefined) {
    const all = new Set(documents.flat().filter((term) => term.startsWith(last)))
    let n = 0
    for (const term of all) n += having((other) => other === term)
    const isTerm = (other: string): boolean => other !== last && other.startsWith(last)
    groups.push({ isTerm, weight: idf(Math.min(documents.length, n)) })
  }
  return texts.flatMap((text, node) => {
    if (text === undefined) return []
    const of = queryTerms(text).terms
    let score = 0
    for (const { isTerm, weight } of groups) {
      const times = of.filter(isTerm).length
      score += (weight * times * 2.2) / (times + 1.2 * (1 - 0.75 + (0.75 * of.length) / average))
    }
    return score > 0 ? [{ node, score }] : []
  })
}
