import fc from 'fast-check'
import { expect, it } from 'vitest'
import { LiveState } from '../../src/search/live/live-state.js'
import { frozenRows } from '../../src/live/jobs/frozen-rows.js'
import { settings } from '../fixtures/small-live-index.js'

/** A state with parts in memory of these sizes, oldest first. */
function stateOf(sizes: readonly number[]): LiveState {
  const state = new LiveState(settings({ dimensions: 1 }), undefined, 0)
  for (const [log, rows] of sizes.entries()) {
    state.startMemory(log + 1)
    if (rows === 0) continue
    const firstSequence = state.lastSequence + 1
    const ids = Array.from({ length: rows }, (_, i) => firstSequence + i)
    state.apply({ kind: 'upsert', ids, vectors: Float32Array.from(ids), firstSequence })
  }
  return state
}

it('the oldest parts in memory are sealed together while they have few rows, and never the last one', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { minLength: 2, maxLength: 7 }), fc.nat(20), (sizes, mostRows) => {
      const { views, ids } = frozenRows(stateOf(sizes), mostRows)
      const rowsOf = (parts: number): number => sizes.slice(0, parts).reduce((sum, rows) => sum + rows, 0)
      expect(views.map(({ log }) => log)).toEqual(Array.from({ length: views.length }, (_, at) => at + 1))
      expect(ids).toEqual(Array.from({ length: rowsOf(views.length) }, (_, at) => at + 1))
      expect(views.length).toBeGreaterThan(0)
      expect(views.length).toBeLessThan(sizes.length)
      if (views.length > 1) expect(ids.length).toBeLessThanOrEqual(mostRows)
      if (views.length < sizes.length - 1) expect(rowsOf(views.length + 1)).toBeGreaterThan(mostRows)
    }),
  )
})
