/** The report of `verifyIndex`, and its findings while it runs. */
import { CorruptIndexError, PathError } from '../../errors.js'

export interface VerifyProblem {
  readonly path: string
  /** Byte of the file, when the problem has a place in it. */
  readonly offset?: number
  readonly reason: string
}

export interface VerifyReport {
  /** True when there is no problem. */
  readonly ok: boolean
  /** The live generation; undefined when CURRENT or the manifest cannot be read. */
  readonly generation: string | undefined
  /** Vectors in the index. */
  readonly count: number
  readonly filesChecked: number
  readonly bytesChecked: number
  readonly linksChecked: number
  /** The first problems, in the order of the files. */
  readonly problems: readonly VerifyProblem[]
  /** Number of all problems. */
  readonly problemCount: number
}

export interface VerifyProgress {
  /** The file being checked. */
  readonly name: string
  readonly bytesChecked: number
  readonly totalBytes: number
}

/** Further problems are only counted. */
export const MAX_LISTED_PROBLEMS = 100

export class VerifyFindings {
  readonly problems: VerifyProblem[] = []
  problemCount = 0
  filesChecked = 0
  bytesChecked = 0
  linksChecked = 0

  add(problem: VerifyProblem): void {
    this.problemCount++
    if (this.problems.length < MAX_LISTED_PROBLEMS) this.problems.push(problem)
  }

  /** Records an error about a file; rethrows any other error. */
  addError(error: unknown): void {
    if (error instanceof CorruptIndexError) {
      const { path, offset, reason } = error
      this.add(offset === undefined ? { path, reason } : { path, offset, reason })
    } else if (error instanceof PathError) {
      this.add({ path: error.path, reason: error.message })
    } else {
      throw error
    }
  }

  report(generation: string | undefined, count: number): VerifyReport {
    const { problems, problemCount, filesChecked, bytesChecked, linksChecked } = this
    const ok = problemCount === 0
    return { ok, generation, count, filesChecked, bytesChecked, linksChecked, problems, problemCount }
  }
}
