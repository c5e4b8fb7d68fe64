/** The members of the interfaces of options, from the same schemas as the tables. */
import { BUILD_OPTIONS } from '../../src/options/build-options.ts'
import { WORKER_OPTIONS } from '../../src/options/cluster/worker-options.ts'
import { ESTIMATE_OPTIONS, SUGGEST_OPTIONS } from '../../src/options/estimate-options.ts'
import { EXPORT_OPTIONS } from '../../src/options/export-options.ts'
import { IMPORT_OPTIONS } from '../../src/options/import-options.ts'
import { COMPACT_OPTIONS, SETTINGS_OPTIONS, WRITER_OPTIONS } from '../../src/options/live-options.ts'
import { MEASURE_OPTIONS, RECALL_OPTIONS, TUNE_OPTIONS } from '../../src/options/measure-options.ts'
import { optionFacts } from '../../src/options/option-facts.ts'
import { FACET_OPTIONS, OPEN_OPTIONS, SEARCH_OPTIONS, TEXT_SEARCH_OPTIONS } from '../../src/options/search-options.ts'
import { CONFIG_OPTIONS } from './option-tables.mjs'

const ENTRIES = {
  'options-build': BUILD_OPTIONS,
  'options-config': CONFIG_OPTIONS,
  'options-import': IMPORT_OPTIONS,
  'options-export': EXPORT_OPTIONS,
  'options-estimate': ESTIMATE_OPTIONS,
  'options-suggest': SUGGEST_OPTIONS,
  'options-open': OPEN_OPTIONS,
  'options-search': SEARCH_OPTIONS,
  'options-text-search': TEXT_SEARCH_OPTIONS,
  'options-facets': FACET_OPTIONS,
  'options-measure': MEASURE_OPTIONS,
  'options-recall': RECALL_OPTIONS,
  'options-tune': TUNE_OPTIONS,
  'options-writer': WRITER_OPTIONS,
  'options-settings': SETTINGS_OPTIONS,
  'options-compact': COMPACT_OPTIONS,
  'options-worker': WORKER_OPTIONS,
}

const MAX_COLUMNS = 120

/** The lines of an interface, by the name of its options. */
export const INTERFACES = Object.fromEntries(
  Object.entries(ENTRIES).map(([name, entries]) => [name, () => optionFacts(entries).map(memberText).join('\n')]),
)

function memberText(facts) {
  const { name, type, required } = facts
  return `${commentText(documentation(facts))}\n  readonly ${name}${required ? '' : '?'}: ${type}`
}

function documentation({ doc, defaultValue, fallback }) {
  const text = `${doc.replace(/^[a-z](?![A-Z\d])/, (letter) => letter.toUpperCase())}.`
  if (defaultValue !== undefined) {
    return `${text} Default ${typeof defaultValue === 'string' ? `'${defaultValue}'` : defaultValue}.`
  }
  return fallback === undefined || ['none', 'unknown', 'required'].includes(fallback)
    ? text
    : `${text} Default: ${fallback}.`
}

function commentText(text) {
  const line = `  /** ${text} */`
  if (line.length <= MAX_COLUMNS) return line
  const lines = ['  /**', '   *']
  for (const word of text.split(' ')) {
    if (lines.at(-1).length + 1 + word.length > MAX_COLUMNS) lines.push('   *')
    lines[lines.length - 1] += ` ${word}`
  }
  return [...lines, '   */'].join('\n')
}
