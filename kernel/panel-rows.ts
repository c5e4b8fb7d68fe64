/** Rows of a panel, the packed form that the distance tile reads: kernel/assembly/distance/pack.ts. */
export const PANEL_ROWS = 16

/** Rows that the panels of `count` targets have room for: whole panels. */
export function panelRows(count: number): number {
  return Math.ceil(count / PANEL_ROWS) * PANEL_ROWS
}
