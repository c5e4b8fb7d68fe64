import type { Kernel } from '../../../kernel/kernel.js'
import { scanRows, type ExactQueries } from '../../search/exact-scan.js'
import type { RowFile } from '../../search/file-rows.js'
import type { NearestLists } from '../../search/nearest-lists.js'
import { readRows } from '../row-files.js'

/** Exact neighbours among the vectors of one segment. */
export interface ExactTask extends ExactQueries {
  readonly vectors: RowFile
}

export function exactNeighbours(kernel: Kernel, task: ExactTask): NearestLists {
  const { vectors, dimensions } = task
  return scanRows(kernel, task, {
    first: vectors.firstNode,
    count: vectors.count,
    read: (first, into) => readRows(vectors, 4 * dimensions, first, into),
  })
}
