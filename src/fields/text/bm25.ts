/** Okapi BM25, with the inverse document frequency that cannot be negative. */

/** How soon more occurrences of a term stop counting. */
export const K1 = 1.2
/** How much long documents are held against. */
export const B = 0.75

/** The weight of a term that `withTerm` of `documents` have. */
export function inverseFrequency(documents: number, withTerm: number): number {
  return Math.log(1 + (documents - withTerm + 0.5) / (withTerm + 0.5))
}
