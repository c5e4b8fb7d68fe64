/** The report of `verifyIndex`, and its findings while it runs. */
import { CorruptIndexError, PathError } from '../../errors.js'

export interface VerifyProblem {
  readonly path: string
  /** Byte of the file, when the problem has a place in it. */
  readonly offset?: number
  readonly reason: string
}

/** What was checked of the changes since the last build. */
export interface VerifiedLive {
  /** Sealed parts, their rows, and the deletes in them. */
  readonly parts: number
  readonly rows: number
  readonly deletes: number
  /** Logs, and the rows and deletes in them, which are not sealed. */
  readonly logs: number
  readonly changes: number
  /** Of the last change. */
  readonly sequence: number
  /**
   * The end of the newest log that is no whole change: of a write that was interrupted, or goes on. It was never
   * acknowledged, so that it is no problem.
   */
  readonly torn?: VerifyProblem
}

export interface VerifyReport {
  /** True when there is no problem. */
  readonly ok: boolean
  /** The live generation; undefined when CURRENT or the manifest cannot be read, and before the first build. */
  readonly generation: string | undefined
  /** Vectors in the live generation. */
  readonly count: number
  /** Absent when the index was never written to between two builds, or its PARTS is damaged. */
  readonly live?: VerifiedLive
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

  /** Takes over the findings of a part of the work. */
  addAll({ problems, problemCount, filesChecked, bytesChecked, linksChecked }: VerifyFindings): void {
    this.problems.push(...problems.slice(0, MAX_LISTED_PROBLEMS - this.problems.length))
    this.problemCount += problemCount
    this.filesChecked += filesChecked
    this.bytesChecked += bytesChecked
    this.linksChecked += linksChecked
  }

  report(generation: string | undefined, count: number, live?: VerifiedLive): VerifyReport {
    const { problems, problemCount, filesChecked, bytesChecked, linksChecked } = this
    const ok = problemCount === 0
    const checked = { filesChecked, bytesChecked, linksChecked }
    return { ok, generation, count, ...(live !== undefined && { live }), ...checked, problems, problemCount }
  }
}
