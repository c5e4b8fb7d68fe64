import { InvalidFileError, InvalidOptionError } from '../../errors.js'
import { readIdLines } from '../../sources/lines/read-id-lines.js'
import { readIvecs } from '../../sources/rows/read-ivecs.js'
import type { Id } from '../../api/vectors.js'
import type { SearchHit } from '../../api/search.js'

/** The exact neighbours of each query, as ids. */
export interface GroundTruth {
  /** Known neighbours of each query. */
  readonly depth: number
  /** The id of a neighbour of a query, by its rank from 0. @throws InvalidFileError when its row has no id */
  idAt(query: number, nearest: number): Id
}

export interface GroundTruthFiles {
  /** ivecs: for each query the row numbers of its neighbours, nearest first. */
  readonly path: string
  /** The ids of the build, one a line; absent when row numbers are the ids. */
  readonly idsPath: string | undefined
}

/**
 * Reads exact neighbours for `queryCount` queries, at least `k` of each.
 * @throws InvalidFileError, PathError
 */
export async function readGroundTruth(files: GroundTruthFiles, queryCount: number, k: number): Promise<GroundTruth> {
  const { path, idsPath } = files
  const { rows, count, dimensions: depth } = await readIvecs(path)
  if (count !== queryCount) {
    throw new InvalidFileError(path, `it has neighbours of ${count} queries, expected ${queryCount}: one row for each`)
  }
  if (depth < k) {
    throw new InvalidFileError(path, `it has ${depth} neighbours of each query, and recall@${k} needs ${k}; lower -k`)
  }
  const ids = idsPath === undefined ? undefined : await readAllIds(idsPath)
  return {
    depth,
    idAt(query, nearest) {
      const row = rows[query * depth + nearest]
      if (row < 0) throw new InvalidFileError(path, `row ${query} has the neighbour ${row}, expected a row number`)
      if (ids === undefined) return row
      if (row < ids.length) return ids[row]
      throw new InvalidFileError(path, `row ${query} has the neighbour ${row}, and ${idsPath} has ${ids.length} ids`)
    },
  }
}

async function readAllIds(path: string): Promise<Id[]> {
  const ids: Id[] = []
  for await (const lines of readIdLines(path)) for (const id of lines) ids.push(id)
  return ids
}

/**
 * The share of the k exact neighbours that were found, over all queries. Ids are compared as text, because the ids of a
 * text file are text.
 */
export function recallOf(results: readonly (readonly SearchHit[])[], truth: GroundTruth, k: number): number {
  let found = 0
  for (const [query, hits] of results.entries()) {
    const answered = new Set(hits.map((hit) => String(hit.id)))
    for (let nearest = 0; nearest < k; nearest++) {
      if (answered.has(String(truth.idAt(query, nearest)))) found++
    }
  }
  return found / (results.length * k)
}

/** @throws InvalidOptionError when row numbers would be compared with text ids, where recall is always 0 */
export function checkComparable(results: readonly (readonly SearchHit[])[], files: GroundTruthFiles): void {
  if (files.idsPath !== undefined) return
  for (const hits of results) {
    for (const { id } of hits) {
      if (typeof id === 'number') continue
      throw new InvalidOptionError(
        `--ground-truth names neighbours by row number, and this index has other ids, such as ` +
          `${JSON.stringify(id)}; give --ids FILE, the file of ids that the index was built with`,
      )
    }
  }
}
