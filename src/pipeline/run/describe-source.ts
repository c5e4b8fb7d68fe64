/** Adds the facts that a source states about itself to the options of its build. */
import type { BuildOptions } from '../../api/build.js'
import type { DescribedSource, ResumableSource, SourceFacts, VectorSource } from '../../api/vectors.js'
import { InvalidOptionError } from '../../errors.js'
import { BUILD_OPTIONS, buildOptionsSchema } from '../../options/build-options.js'
import { checkOptions, checkValue } from '../../options/check-options.js'
import { kindOf } from '../../wording/value-kind.js'

export interface DescribedRead {
  readonly read: ResumableSource
  readonly isResumable: boolean
  readonly options: BuildOptions
  /** Says that the options and the source have another count. */
  readonly note?: string
}

/**
 * Given options take precedence, except for the count, which the source knows better. A described source without a
 * fingerprint can be read only once.
 * @throws InvalidOptionError
 */
export async function describeSource(
  source: VectorSource | ResumableSource | DescribedSource,
  options: BuildOptions,
): Promise<DescribedRead> {
  if (typeof source !== 'function') return { read: () => source, isResumable: false, options }
  if (!('facts' in source)) return { read: source, isResumable: true, options }
  checkOptions(buildOptionsSchema, options, { warn: () => undefined })
  const { count, dimensions, metric, fields, fingerprint } = checkFacts(await source.facts())
  const note = countNote(options.count, count)
  return {
    read: source,
    isResumable: fingerprint !== undefined,
    options: {
      ...options,
      count: count ?? options.count,
      dimensions: options.dimensions ?? dimensions,
      metric: options.metric ?? metric,
      fields: options.fields ?? fields,
      sourceFingerprint: options.sourceFingerprint ?? fingerprint,
    },
    ...(note !== undefined && { note }),
  }
}

/** Undefined when the counts agree, or one of them is not known. */
export function countNote(given: number | undefined, found: number | undefined): string | undefined {
  if (given === undefined || found === undefined || given === found) return undefined
  return `count is ${given}, and the source has ${found} vectors: all of them are taken; count (--count) limits nothing`
}

function checkFacts(facts: unknown): SourceFacts {
  if (typeof facts !== 'object' || facts === null) {
    throw new InvalidOptionError(
      `facts() of the source must give an object { count?, dimensions?, metric?, fields?, fingerprint? }, got ${kindOf(facts)}`,
    )
  }
  const { count, dimensions, metric, fields, fingerprint } = facts as SourceFacts
  checkValue('count in facts() of the source', BUILD_OPTIONS.count, count)
  checkValue('dimensions in facts() of the source', BUILD_OPTIONS.dimensions, dimensions)
  checkValue('metric in facts() of the source', BUILD_OPTIONS.metric, metric)
  checkValue('fields in facts() of the source', BUILD_OPTIONS.fields, fields)
  checkValue('fingerprint in facts() of the source', BUILD_OPTIONS.sourceFingerprint, fingerprint)
  return { count, dimensions, metric, fields, fingerprint }
}
