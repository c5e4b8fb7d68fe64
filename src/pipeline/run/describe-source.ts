/** Adds the facts that a source states about itself to the options of its build. */
import type { BuildOptions } from '../../api/build.js'
import type { DescribedSource, ResumableSource, VectorSource } from '../../api/vectors.js'

export interface DescribedRead {
  readonly read: ResumableSource
  readonly isResumable: boolean
  readonly options: BuildOptions
}

/** Given options take precedence. A described source without a fingerprint can be read only once. */
export async function describeSource(
  source: VectorSource | ResumableSource | DescribedSource,
  options: BuildOptions,
): Promise<DescribedRead> {
  if (typeof source !== 'function') return { read: () => source, isResumable: false, options }
  if (!('facts' in source)) return { read: source, isResumable: true, options }
  const { count, dimensions, fingerprint } = await source.facts()
  return {
    read: source,
    isResumable: fingerprint !== undefined,
    options: {
      ...options,
      count: options.count ?? count,
      dimensions: options.dimensions ?? dimensions,
      sourceFingerprint: options.sourceFingerprint ?? fingerprint,
    },
  }
}
