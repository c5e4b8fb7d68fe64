/** What the build tests share: seeded data, a context without a build around it, and plain twins. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import type { Kernel } from '../../kernel/kernel.js'
import { BufferPool, SpillBudget, type BatchRef } from '../../spill/index.js'
import type { BuildContext } from '../../src/build/build-context.js'
import { BuildLog } from '../../src/build/build-log.js'
import { makeCodeSpec, type CodeSpec } from '../../src/build/code-spec.js'
import type { ColumnHeader } from '../../src/build/layer-records.js'
import { MemoryMonitor } from '../../src/build/memory-monitor.js'
import { resolveOptions } from '../../src/build/resolve-options.js'
import { codeOps } from '../../src/build/tasks/code-ops.js'
import type { BuildOptions, Metric } from '../../src/types.js'

const cleanups: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** A new empty folder, deleted after the test. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'build-test-'))
  cleanups.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Uniform in [0, 1), a function of the seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** `count` rows around zero, row-major. */
export function randomRows(count: number, dimensions: number, seed: number): Float32Array {
  const random = randomNumbers(seed)
  return Float32Array.from({ length: count * dimensions }, () => random() + random() + random() - 1.5)
}

/** Everything a stage takes from its context, for a build that is not running. */
export function makeContext(
  options: Partial<BuildOptions> = {},
  shape: { batchBytes?: number; limitBytes?: number } = {},
): BuildContext {
  const folder = makeFolder()
  const resolved = resolveOptions({ path: folder, ...options })
  const buffers = new BufferPool()
  const log = new BuildLog({ ...resolved, budgetBytes: 1e9 })
  const limitBytes = shape.limitBytes ?? 1e9
  const budget = new SpillBudget({ limitBytes, pool: buffers })
  const context: BuildContext = {
    options: resolved,
    paths: { indexDir: folder, buildDir: folder, spillDir: folder, generation: 'gen-000001', generationDir: folder },
    buffers,
    batchBytes: shape.batchBytes ?? 4096,
    resume: undefined,
    budget,
    log,
    memory: new MemoryMonitor({
      budgetBytes: 1e12,
      cgroup: undefined,
      budget,
      queueBytes: limitBytes,
      onEvent: () => undefined,
      onPauseTasks: () => undefined,
      onFailure: () => undefined,
    }),
    queues: new Set(),
  }
  cleanups.push(async () => {
    for (const queue of context.queues) await queue.dispose()
    log.close()
  })
  return context
}

export function specOf(metric: Metric, dimensions: number, rows: Float32Array): CodeSpec {
  const count = rows.length / dimensions
  let maxSquaredNorm = 0
  for (let row = 0; row < count; row++) maxSquaredNorm = Math.max(maxSquaredNorm, squaredNorm(rows, dimensions, row))
  return makeCodeSpec(metric, dimensions, { rows, count }, maxSquaredNorm)
}

export function squaredNorm(rows: Float32Array, dimensions: number, row: number): number {
  let sum = 0
  for (let d = 0; d < dimensions; d++) sum += rows[row * dimensions + d] ** 2
  return sum
}

/** Code rows as plain numbers, count x codeDims, by the kernel. */
export function encode(kernel: Kernel, spec: CodeSpec, rows: Float32Array): { bytes: Uint8Array; values: number[] } {
  const ops = codeOps(kernel, spec)
  const count = rows.length / spec.dimensions
  const mark = kernel.mark()
  const mean = kernel.alloc(4 * spec.codeDims)
  const from = kernel.alloc(rows.byteLength)
  const out = kernel.alloc(count * ops.rowBytes)
  kernel.f32(mean, spec.codeDims).set(spec.mean)
  kernel.f32(from, rows.length).set(rows)
  ops.encode(from, count, mean, out)
  const bytes = Uint8Array.from(kernel.u8(out, count * ops.rowBytes))
  kernel.release(mark)
  return {
    bytes,
    values: Array.from(spec.kind === 'i16' ? new Int16Array(bytes.buffer) : new Float32Array(bytes.buffer)),
  }
}

export function squaredL2(values: ArrayLike<number>, dims: number, a: number, b: number): number {
  let sum = 0
  for (let d = 0; d < dims; d++) sum += (values[a * dims + d] - values[b * dims + d]) ** 2
  return sum
}

export function shared(bytes: number): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(bytes))
}

/** Bytes as a batch that lies in memory, as queues hand it to tasks. */
export function memoryRef<Header>(header: Header, count: number, bytes: Uint8Array): BatchRef<Header> {
  const copy = shared(Math.ceil(bytes.length / 8) * 8).subarray(0, bytes.length)
  copy.set(bytes)
  return { kind: 'memory', batch: { header, count, bytes: copy } }
}

/** Rows as ingest pushes them: a column of ordinals, then a column of rows. */
export function columnRef(
  ordinals: readonly number[],
  rows: Float32Array,
  dimensions: number,
  capacity = ordinals.length + 3,
): BatchRef<ColumnHeader> {
  const bytes = new Uint8Array(capacity * (4 + 4 * dimensions))
  new Uint32Array(bytes.buffer, 0, ordinals.length).set(ordinals)
  bytes.set(new Uint8Array(rows.buffer, rows.byteOffset, rows.byteLength), 4 * capacity)
  return memoryRef({ capacity }, ordinals.length, bytes)
}
