import type * as v from 'valibot'
import { optionFacts } from '../option-facts.js'

/** Options from one source: the flags, or a file. */
export interface OptionLayer {
  readonly from: string
  readonly options: Readonly<Record<string, unknown>>
}

/** One option, with its value and source. */
export interface SettledOption {
  /** Undefined: it was not given, and its default is not one value; `fallback` describes it. */
  readonly value: unknown
  readonly from: string
  readonly fallback?: string
}

export const FROM_DEFAULT = 'default'

/** Takes each option from the first layer that has it, else its default, in the order of the schema. */
export function mergeOptions(entries: v.ObjectEntries, layers: readonly OptionLayer[]): Map<string, SettledOption> {
  const settled = new Map<string, SettledOption>()
  for (const { name, defaultValue, fallback } of optionFacts(entries)) {
    const layer = layers.find(({ options }) => options[name] !== undefined)
    settled.set(
      name,
      layer === undefined
        ? { value: defaultValue, from: FROM_DEFAULT, ...(fallback !== undefined && { fallback }) }
        : { value: layer.options[name], from: layer.from },
    )
  }
  return settled
}
