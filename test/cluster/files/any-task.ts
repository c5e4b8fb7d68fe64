/** Arbitrary tasks of each kind that goes to other hosts. Their numbers need not make sense: nothing runs them. */
import { join } from 'node:path'
import * as fc from 'fast-check'
import type { FileBatchRef } from '../../../spill/batch.js'
import type { GridStore } from '../../../src/rows/grid-store.js'
import type { GridSpec } from '../../../src/rows/grid-spec.js'
import type { RowFile } from '../../../src/rows/file-rows.js'
import type { Leaders } from '../../../src/tasks/route/leaders.js'
import type { TaskName, Tasks } from '../../../src/tasks/tasks.js'

export type OutgoingName = Exclude<TaskName, 'gather' | 'reach' | 'recall'>

/** Plain objects, as tasks are. */
const record = <Parts extends object, Needed extends keyof Parts = keyof Parts>(
  parts: { [Key in keyof Parts]: fc.Arbitrary<Parts[Key]> },
  { requiredKeys }: { requiredKeys?: Needed[] } = {},
): fc.Arbitrary<Pick<Parts, Needed> & Partial<Parts>> =>
  fc.record(parts, { noNullPrototype: true, ...(requiredKeys && { requiredKeys }) }) as never

/** Any number a task may hold. */
const number = fc.oneof(fc.double(), fc.constantFrom(-0, NaN, -1, 2 ** 53 - 1, 2 ** 40, Infinity, 0xffffffff))
const count = fc.nat(2 ** 12)

/** An array over shared memory, not at its start. */
function inShared<View extends Uint8Array | Uint32Array | Float32Array | Float64Array>(view: View): View {
  const Kind = view.constructor as new (memory: SharedArrayBuffer, at: number, length: number) => View
  const copy = new Kind(new SharedArrayBuffer(view.byteLength + 8), 8, view.length)
  copy.set(view)
  return copy
}
const bytes = fc.uint8Array({ maxLength: 40 }).map(inShared)
const words = fc.uint32Array({ maxLength: 20 }).map(inShared)
const floats = fc.float32Array({ maxLength: 20 }).map(inShared)
const doubles = fc.float64Array({ maxLength: 20 }).map(inShared)

const metric = fc.constantFrom('l2' as const, 'cosine' as const, 'ip' as const)
const rowKind = fc.constantFrom('vectors' as const, 'grid' as const)
const spec: fc.Arbitrary<GridSpec> = record({
  kind: fc.constantFrom('i16' as const, 'f32' as const),
  dimensions: count,
  gridDims: count,
  mean: floats,
  scale: number,
  radiusSquared: number,
})
const graph = {
  spec,
  engine: fc.constantFrom('pipnn' as const, 'hnswlib-wasm' as const),
  quality: fc.constantFrom('balanced' as const, 'high' as const),
  m: count,
  seed: count,
}

function leaders(depth: number): fc.Arbitrary<Leaders> {
  const flat = { codes: bytes, handicaps: doubles, count }
  if (depth === 0) return record(flat)
  const cells = record({ coarse: leaders(0), starts: words, leaders: words, panels: bytes, norms: words })
  return record({ ...flat, cells }, { requiredKeys: ['codes', 'handicaps', 'count'] })
}

/** Tasks whose paths are files of `folder`. */
export function anyTask(folder: string): { readonly [Name in OutgoingName]: fc.Arbitrary<Tasks[Name]['task']> } {
  const file = fc.stringMatching(/^[\w .-]{0,8}[a-z]$/).map((name) => join(folder, name))
  const rowFile: fc.Arbitrary<RowFile> = record({ path: file, firstNode: count, count })
  const refs: fc.Arbitrary<FileBatchRef[]> = fc.array(
    record({ kind: fc.constant('file' as const), path: file, offset: number, frameBytes: count, count }),
    { maxLength: 8 },
  )
  const grid: fc.Arbitrary<GridStore> = record({ kind: fc.constant('file' as const), rowBytes: count, path: file })
  const place = record({ path: file, dataOffset: count })
  const share = record({ input: refs, rowKind })
  const input = { input: refs, rowKind, rowCount: count, spec, output: bytes }
  const members = record({ refs, count, kind: rowKind })
  return {
    leaders: record({
      sample: record({ kind: rowKind, bytes, count }),
      spec,
      leaderCount: count,
      overlap: count,
    }),
    route: record(
      {
        ...input,
        leaders: leaders(1),
        overlap: count,
        sparse: record({ step: count, seed: count }),
        dropped: fc.option(bytes, { nil: undefined }),
      },
      { requiredKeys: ['input', 'rowKind', 'rowCount', 'spec', 'output', 'leaders', 'overlap', 'dropped'] },
    ),
    sample: record({ shares: fc.array(share, { maxLength: 3 }), spec, wanted: count, seed: count }),
    cut: record({ ...input, parts: count, seed: count, mass: fc.option(bytes, { nil: undefined }) }),
    trial: record({ ...graph, sample: bytes, rowCount: count, queryCount: count, metric, maxSquaredNorm: number }),
    shard: record({
      ...graph,
      homes: members,
      replicas: members,
      firstNode: count,
      nodeOfOrdinal: words,
      grid,
      vectors: fc.option(place, { nil: undefined }),
      rows: record({ segmentStarts: words, runBytes: count, path: fc.option(file, { nil: undefined }) }),
      output: bytes,
    }),
    restore: record({
      part: record({
        path: file,
        segmentStart: count,
        firstNode: count,
        rows: count,
        strideBytes: count,
        crc: number,
      }),
      grid: fc.option(record({ spec, store: grid }), { nil: undefined }),
      graphRows: fc.option(record({ path: file, bytes: count }), { nil: undefined }),
    }),
    longest: record({ vectors: rowFile, dimensions: count, wanted: count }),
    merge: record({
      rows: refs,
      rowBytes: count,
      firstNode: count,
      count,
      spec,
      grid,
      nodeCount: count,
      maxDegree: count,
      chunkBytes: count,
      links: fc.option(place, { nil: undefined }),
      output: fc.option(bytes, { nil: undefined }),
      longest: fc.option(
        record({
          longestRows: record({ nodes: words, rows: floats, dimensions: count }),
          vectors: rowFile,
        }),
        { nil: undefined },
      ),
    }),
    upper: record({ ...graph, nodes: words, grid }),
    train: record({
      quantization: fc.constantFrom('sq8' as const, 'binary' as const),
      dimensions: count,
      sample: floats,
      sampleCount: count,
      seed: count,
      from: count,
      to: count,
      subspaces: count,
      codebook: floats,
    }),
    encode: record({
      quantization: fc.constantFrom('f16' as const, 'sq8' as const, 'pq' as const, 'binary' as const),
      metric,
      dimensions: fc.nat(100),
      vectors: rowFile,
      codebook: floats,
      path: file,
    }),
    exact: record({
      metric,
      dimensions: count,
      queries: floats,
      queryCount: count,
      k: count,
      maxSquaredNorm: number,
      vectors: rowFile,
    }),
  }
}
