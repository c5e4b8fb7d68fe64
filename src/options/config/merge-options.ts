import type * as v from 'valibot'
import { optionFacts } from '../option-facts.js'

/** Options from one place: the flags, a file. */
export interface OptionLayer {
  readonly from: string
  readonly options: Readonly<Record<string, unknown>>
}

/** One option as it holds. */
export interface SettledOption {
  /** Undefined: nothing was given and there is no single default; `fallback` says what comes about. */
  readonly value: unknown
  readonly from: string
  readonly fallback?: string
}

export const FROM_DEFAULT = 'default'

/** Each option from the first layer that has it, else its default. In the order of the schema. */
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
