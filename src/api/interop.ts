/** What an export is asked for, and what it says while it runs. */

/**
 * hnswlib: what hnswlib's `saveIndex` writes on 64-bit machines. usearch: a `.usearch` file of version 2. fvecs: the
 * vectors alone.
 */
export type ExportFormat = 'hnswlib' | 'usearch' | 'fvecs'

export interface ExportProgress {
  readonly bytesWritten: number
  readonly totalBytes: number
}

/** 'ids': the label is the caller's id. 'nodes': the label is the node, and a separate file has the ids. */
export type LabelKind = 'ids' | 'nodes'
