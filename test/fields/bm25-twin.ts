import { expect } from 'vitest'
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
  const frequencies = new Map<string, number>()
  for (const of of documents) {
    for (const term of new Set(of)) frequencies.set(term, (frequencies.get(term) ?? 0) + 1)
  }
  const groups: { isTerm: (term: string) => boolean; weight: number }[] = []
  const idf = (n: number): number => Math.log(1 + (documents.length - n + 0.5) / (n + 0.5))
  for (const term of terms) {
    groups.push({ isTerm: (other) => other === term, weight: idf(frequencies.get(term) ?? 0) })
  }
  const last = terms.at(-1)
  if (prefix && open && last !== undefined) {
    let n = 0
    for (const [term, having] of frequencies) if (term.startsWith(last)) n += having
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

/** The same scores to 1e-6, and the same order but for scores that differ less than that. */
export function expectSame(found: readonly TwinHit[], expected: readonly TwinHit[]): void {
  expect(found.length).toBe(expected.length)
  const scores = new Map(expected.map(({ node, score }) => [node, score]))
  let worst = 0
  for (const [at, { node, score }] of found.entries()) {
    worst = Math.max(worst, Math.abs(score - (scores.get(node) ?? Infinity)), Math.abs(score - expected[at].score))
  }
  expect(worst).toBeLessThan(1e-6)
}
