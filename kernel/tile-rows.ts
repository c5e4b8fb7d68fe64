/** What the distance tile compares. */

/** How the components of grid rows are stored. */
export type GridKind = 'i16' | 'f32'

/** Addresses of rows and of their squared norms. */
export interface QueryRows {
  readonly rows: number
  readonly norms: number
  readonly count: number
}

/** Addresses of packed rows and of their squared norms. */
export interface PackedRows {
  readonly panels: number
  readonly norms: number
  readonly count: number
}
