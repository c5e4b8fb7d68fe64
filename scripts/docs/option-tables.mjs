/** The tables of options and flags, by name, from the schemas in src/options. */
import { COMMANDS } from '../../src/cli/command-table.ts'
import { BUILD_COMMAND_OPTIONS, BUILD_OPTIONS } from '../../src/options/build-options.ts'
import { WORKER_OPTIONS } from '../../src/options/cluster/worker-options.ts'
import { ESTIMATE_OPTIONS, SUGGEST_OPTIONS } from '../../src/options/estimate-options.ts'
import { EXPORT_OPTIONS } from '../../src/options/export-options.ts'
import { IMPORT_OPTIONS } from '../../src/options/import-options.ts'
import { COMPACT_OPTIONS, SETTINGS_OPTIONS, WRITER_OPTIONS } from '../../src/options/live-options.ts'
import { MEASURE_OPTIONS, RECALL_OPTIONS, TUNE_OPTIONS } from '../../src/options/measure-options.ts'
import { optionFacts } from '../../src/options/option-facts.ts'
import { FACET_OPTIONS, OPEN_OPTIONS, SEARCH_OPTIONS, TEXT_SEARCH_OPTIONS } from '../../src/options/search-options.ts'
import { COMMON_OPTIONS } from '../../src/options/shared-options.ts'
import { code, sentence } from './cells.mjs'

/** The options that only a configuration file and the flags of `build` have. */
export const CONFIG_OPTIONS = Object.fromEntries(
  Object.entries(BUILD_COMMAND_OPTIONS).filter(([name]) => !Object.hasOwn(BUILD_OPTIONS, name)),
)

const optionTable = (...rows) => ({ head: ['option', 'default', 'what it does'], rows: rows.flat() })

const flagTable = (rows) => ({ head: ['flag', 'default', 'what it does'], rows })

function optionRows(entries, only = '') {
  return optionFacts(entries).map((facts) => [code(facts.name), defaultCell(facts, "'"), only + sentence(facts.doc)])
}

/** As the help has them: arguments, flags, and the opposites that are shown. */
function flagRows(entries) {
  return optionFacts(entries).flatMap((facts) => {
    const { argument, flag, opposite } = facts
    const rows = []
    const does = flagText(facts)
    if (argument !== undefined) rows.push([code(argument), defaultCell(facts, ''), does])
    if (flag !== undefined)
      rows.push([code(flag), facts.kind === 'flag' ? (facts.fallback ?? '') : defaultCell(facts, ''), does])
    if (opposite !== undefined) rows.push([code(flag.split(' ')[0].replace('--', '--no-')), '', opposite])
    return rows
  })
}

/** The help, with values, flags, extensions and the name of standard input as code. */
function flagText({ help, schema }) {
  const words = [
    ...(schema.options ?? []).filter((value) => typeof value === 'string').map((value) => `\\b${value}\\b`),
  ]
  const pattern = new RegExp([...words, '--[a-z-]+', '\\.(?:prom|jsonl)\\b', '(?<![\\w-])-(?= for)'].join('|'), 'g')
  return help.replace(pattern, code)
}

function defaultCell(facts, quote) {
  const { defaultValue } = facts
  if (defaultValue === undefined) return (facts.fallback ?? '').replace(/build\/|^\d+$/, (text) => code(text))
  return code(typeof defaultValue === 'string' ? quote + defaultValue + quote : String(defaultValue))
}

const HELP_ROW = [code('-h, --help'), '', 'print the help, with examples']

export const OPTION_TABLES = {
  'options-build': () => optionTable(optionRows(BUILD_OPTIONS)),
  'options-config': () => optionTable(optionRows(CONFIG_OPTIONS)),
  'options-import': () => optionTable(optionRows(IMPORT_OPTIONS)),
  'options-export': () => optionTable(optionRows(EXPORT_OPTIONS)),
  'options-estimate': () => optionTable(optionRows(ESTIMATE_OPTIONS)),
  'options-suggest': () => optionTable(optionRows(SUGGEST_OPTIONS)),
  'options-open': () => optionTable(optionRows(OPEN_OPTIONS)),
  'options-search': () => optionTable(optionRows(SEARCH_OPTIONS)),
  'options-text-search': () => optionTable(optionRows(TEXT_SEARCH_OPTIONS)),
  'options-facets': () => optionTable(optionRows(FACET_OPTIONS)),
  'options-measure': () =>
    optionTable(
      optionRows(MEASURE_OPTIONS),
      optionRows(RECALL_OPTIONS, '`recallCurve` only. '),
      optionRows(TUNE_OPTIONS, '`tune` only. '),
    ),
  'options-writer': () => optionTable(optionRows(WRITER_OPTIONS)),
  'options-settings': () => optionTable(optionRows(SETTINGS_OPTIONS)),
  'options-compact': () => optionTable(optionRows(COMPACT_OPTIONS)),
  'options-worker': () => optionTable(optionRows(WORKER_OPTIONS)),
  'flags-common': () =>
    flagTable([...optionFacts(COMMON_OPTIONS).map(({ flag, doc }) => [code(flag), '', doc]), HELP_ROW]),
  ...Object.fromEntries(COMMANDS.map(({ name, options }) => [`flags-${name}`, () => flagTable(flagRows(options))])),
}
