import { describe, expect, it } from 'vitest'
import { Kernel } from '../../kernel/kernel.js'
import { tryQuality, type TrialTask } from '../../src/tasks/link/trial-task.js'
import type { EngineName } from '../../src/api/report.js'
import type { Metric } from '../../src/api/vectors.js'
import { randomRows, specOf, squaredNorm } from '../fixtures/tasks.js'

const ROWS = 3000
const QUERIES = 100
const kernel = Kernel.create()

function taskFor(
  rows: Float32Array,
  dimensions: number,
  metric: Metric = 'l2',
  engine: EngineName = 'pipnn',
): TrialTask {
  let maxSquaredNorm = 0
  for (let row = 0; row < rows.length / dimensions; row++) {
    maxSquaredNorm = Math.max(maxSquaredNorm, squaredNorm(rows, dimensions, row))
  }
  const sample = new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength)
  const spec = specOf(metric, dimensions, rows)
  return {
    sample,
    rowCount: ROWS,
    queryCount: QUERIES,
    metric,
    spec,
    engine,
    quality: 'balanced',
    m: 16,
    seed: 1,
    maxSquaredNorm,
  }
}

/** Rows in a plane of so many dimensions, turned into more. */
function onPlane(planeDimensions: number, dimensions: number): Float32Array {
  const latent = randomRows(ROWS + QUERIES, planeDimensions, 5)
  const map = randomRows(planeDimensions, dimensions, 6)
  const rows = new Float32Array((ROWS + QUERIES) * dimensions)
  for (let i = 0; i < rows.length; i++) {
    const row = Math.floor(i / dimensions)
    for (let j = 0; j < planeDimensions; j++) {
      rows[i] += latent[row * planeDimensions + j] * map[j * dimensions + (i % dimensions)]
    }
  }
  return rows
}

async function recallOf(task: TrialTask): Promise<number> {
  const mark = kernel.mark()
  const { recallAt10 } = await tryQuality(kernel, task)
  kernel.release(mark)
  return recallAt10
}

describe('tryQuality', () => {
  it.each([
    ['l2', 'pipnn'],
    ['ip', 'pipnn'],
    ['l2', 'hnswlib-wasm'],
  ] as const)('finds nearly all neighbours of data of few dimensions: %s, %s', async (metric, engine) => {
    expect(await recallOf(taskFor(onPlane(3, 32), 32, metric, engine))).toBeGreaterThan(0.98)
  })

  it('finds fewer where distances say little', async () => {
    const hard = await recallOf(taskFor(randomRows(ROWS + QUERIES, 400, 3), 400))
    expect(hard).toBeLessThan(0.97)
    expect(hard).toBeGreaterThan(0.4)
  })

  it('counts any of equally near neighbours', async () => {
    const dimensions = 8
    const rows = randomRows(ROWS + QUERIES, dimensions, 9)
    // Ten spots: a hundred vectors on each.
    for (let row = 10; row < ROWS + QUERIES; row++)
      rows.copyWithin(row * dimensions, (row % 10) * dimensions, (row % 10) * dimensions + dimensions)
    expect(await recallOf(taskFor(rows, dimensions))).toBe(1)
  })

  it('is a function of its task', async () => {
    const task = taskFor(randomRows(ROWS + QUERIES, 60, 4), 60)
    expect(await recallOf(task)).toBe(await recallOf(task))
  })
})
