/**
 * The builds of this process know of each other, so that they do not each plan with all of its memory. A copy of this
 * module in another bundle or realm of the thread shares the list; a worker thread of the caller has a list of its own.
 */

/** The memory that one running build may take. */
export interface MemoryClaim {
  /** Its budget; the peak of its plan once that is made. */
  readonly bytes: number
  /** The caller gave no `memory`: the build takes what there is. */
  readonly isDefault: boolean
}

interface ListGlobal {
  [LIST]?: Set<MemoryClaim>
}

const LIST = Symbol.for('shardloom.running-builds')
const running = ((globalThis as ListGlobal)[LIST] ??= new Set())

/** The part that one build has in the memory of the process, from its start to its end. */
export class RunningBuild {
  readonly #claim: { bytes: number; readonly isDefault: boolean }

  constructor(claim: MemoryClaim) {
    this.#claim = { ...claim }
    running.add(this.#claim)
  }

  /** The claims of all other builds that run now. */
  get others(): MemoryClaim[] {
    return claimsOfBuilds().filter((claim) => claim !== this.#claim)
  }

  /** Whether any of them began after this one, which did not know of it. */
  get hasNewer(): boolean {
    return claimsOfBuilds().at(-1) !== this.#claim
  }

  /** A plan that needs less than the budget leaves the rest to others. */
  lowerTo(bytes: number): void {
    this.#claim.bytes = Math.min(bytes, this.#claim.bytes)
  }

  close(): void {
    running.delete(this.#claim)
  }
}

/** The claims of all builds that run in this process now. */
export function claimsOfBuilds(): MemoryClaim[] {
  return [...running]
}

export function sumOfClaims(claims: readonly MemoryClaim[]): number {
  return claims.reduce((sum, { bytes }) => sum + bytes, 0)
}

/**
 * What a build without `memory` may take of `machineBytes` beside others: all that they leave, and at least the same part
 * as each other one without `memory`. Those plan later with less, unless their plan needs little. Pure.
 */
export function shareOfMemory(machineBytes: number, others: readonly MemoryClaim[]): number {
  const defaults = others.filter(({ isDefault }) => isDefault)
  const free = machineBytes - sumOfClaims(others.filter(({ isDefault }) => !isDefault))
  return Math.max(0, Math.floor(Math.max(free - sumOfClaims(defaults), free / (defaults.length + 1))))
}
