export interface QualitySet {
  readonly name: string
  readonly metric: 'l2' | 'cosine' | 'ip'
  readonly dims: number
  readonly count: number
  rows(seed: number): { base: Float32Array; queries: Float32Array }
}
export const SETS: Readonly<Record<string, QualitySet>>
