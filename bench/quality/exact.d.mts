export interface ExactAnswers {
  distance(query: number, row: number): number
  readonly farthest: Float64Array
  readonly k: number
}
export function exactAnswers(asked: {
  base: Float32Array
  queries: Float32Array
  dims: number
  metric: 'l2' | 'cosine' | 'ip'
  k: number
}): ExactAnswers
export function recallOf(answers: ExactAnswers, found: (query: number) => readonly number[]): number
export function someRows(rows: Float32Array, dims: number, wanted: number): Float32Array
