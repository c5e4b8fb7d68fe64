import { InvalidOptionError } from '../../errors.js'
import { kindOf, promisedText } from '../../wording/value-kind.js'
import type { VerifyProgress } from './verify-report.js'

/** Calls the caller's function, and keeps its error: within the check of a file it would count as damage. */
export class ProgressCalls {
  readonly #onProgress: ((progress: VerifyProgress) => unknown) | undefined
  #failure: { readonly error: unknown } | undefined

  /** @throws InvalidOptionError unless it is a function or absent */
  constructor(onProgress: ((progress: VerifyProgress) => unknown) | undefined) {
    if (onProgress !== undefined && typeof onProgress !== 'function') {
      throw new InvalidOptionError(`onProgress must be a function, got ${kindOf(onProgress)}`)
    }
    this.#onProgress = onProgress
  }

  tell(progress: VerifyProgress): void {
    try {
      const promised = promisedText('onProgress', this.#onProgress?.(progress))
      if (promised !== undefined) throw new InvalidOptionError(promised)
    } catch (error) {
      this.#failure ??= { error }
    }
  }

  /** @throws the first error of a call */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
