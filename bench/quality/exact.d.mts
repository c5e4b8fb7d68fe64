export interface ExactAnswers {
  distance(query: number, row: number): number
  readonly farthest: Float64Array
  readonly k: number
}
export interface Asked {
  readonly base: Float32Array
  readonly queries: Float32Array
  readonly dims: number
  readonly metric: 'l2' | 'cosine' | 'ip'
}
export function exactAnswers(asked: Asked & { readonly k: number }): ExactAnswers
export function ownAnswers(asked: Asked): ExactAnswers
export function recallOf(answers: ExactAnswers, found: (query: number) => readonly number[]): number
export function someRows(rows: Float32Array, dims: number, wanted: number): Float32Array
