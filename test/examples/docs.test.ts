import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { createProgram } from '../../src/cli/program.js'
import { Terminal } from '../../src/cli/screen/terminal.js'
import { BUILD_COMMAND_OPTIONS, BUILD_OPTIONS } from '../../src/options/build-options.js'
import { optionFacts, type OptionFacts } from '../../src/options/option-facts.js'
import { REPOSITORY } from './run.js'

/** The documents say what the code says; their links lead somewhere; a newcomer finds every page. */

const textOf = (name: string): string => readFileSync(path.join(REPOSITORY, name), 'utf8')

const filesIn = (folder: string, extension: string): string[] =>
  readdirSync(path.join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(folder, name.replaceAll('\\', '/')))
    .filter((name) => name.endsWith(extension))

const DOCS = filesIn('docs', '.md')
const ROOT_PAGES = readdirSync(REPOSITORY).filter((name) => name.endsWith('.md'))
const PAGES = [...ROOT_PAGES, ...DOCS, ...filesIn('examples', '.md'), 'bench/README.md']

const COMMANDS = createProgram({ terminal: new Terminal(process.stdout, process.stderr), exitCode: 0 }).commands

/** The commands that have pages of their own. */
const CHANGING = new Set(['create', 'upsert', 'delete', 'compact'])

const SEARCHING = new Set(['search', 'get', 'facets'])

function pageOf(command: string): string {
  if (CHANGING.has(command)) return 'docs/cli-changes.md'
  return SEARCHING.has(command) ? 'docs/cli-search.md' : 'docs/cli.md'
}

/** Which page has which table. */
const TABLES: Readonly<Record<string, string>> = {
  'options-build': 'docs/api/build.md',
  'report-fields': 'docs/api/build.md',
  'options-open': 'docs/api/search.md',
  'options-search': 'docs/api/search.md',
  'options-text-search': 'docs/api/search-fields.md',
  'options-facets': 'docs/api/search-fields.md',
  'options-measure': 'docs/api/search.md',
  'options-estimate': 'docs/api/other.md',
  'options-suggest': 'docs/api/other.md',
  'options-worker': 'docs/api/other.md',
  'options-writer': 'docs/api/live.md',
  'options-settings': 'docs/api/live.md',
  'options-compact': 'docs/api/live.md',
  'options-export': 'docs/interop.md',
  'options-import': 'docs/interop.md',
  'flags-common': 'docs/cli.md',
  'exit-codes': 'docs/cli.md',
  ...Object.fromEntries(COMMANDS.map((command) => [`flags-${command.name()}`, pageOf(command.name())])),
}

/** The cells of each row of a table, without its head. */
function rowsOf(name: string): string[][] {
  const table = textOf(TABLES[name]).split(`<!-- table: ${name} -->\n`)[1]?.split('<!-- /table -->')[0]
  if (table === undefined) throw new Error(`${TABLES[name]} has no table ${name}`)
  return [...table.matchAll(/^\| (.*) \|$/gm)].slice(2).map(([, row]) => row.split(' | ').map((cell) => cell.trim()))
}

const plain = (cell: string): string => cell.replaceAll('`', '')

/** The names in the first column, several in a row or not. */
const namesIn = (table: string): string[] =>
  rowsOf(table).flatMap(([cell]) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]))

function fieldsOf(file: string, ...interfaces: readonly string[]): string[] {
  return interfaces.flatMap((name) => {
    const [, picked = '', body] =
      new RegExp(`export interface ${name}(?:<[^>]*>)? (.*?)\\{\n(.*?)\n\\}`, 's').exec(textOf(file)) ?? []
    if (body === undefined) throw new Error(`${file} has no interface ${name}`)
    const own = [...body.matchAll(/^ {2}readonly (\w+)/gm)].map((match) => match[1])
    return [...own, ...[...picked.matchAll(/'(\w+)'/g)].map((match) => match[1])]
  })
}

/** `write` is what makes the other options count. */
const namesOfChanges = (name: string): string[] =>
  fieldsOf('src/api/live.ts', name).filter((field) => field !== 'write')

describe('the tables', () => {
  it('are on the pages that are to have them, and nowhere else', () => {
    const found = PAGES.flatMap((page) =>
      [...textOf(page).matchAll(/^<!-- table: ([\w-]+) -->$/gm)].map((match) => [match[1], page]),
    )
    expect(Object.fromEntries(found)).toEqual(TABLES)
    expect(found.length).toBe(Object.keys(TABLES).length)
  })

  it.each([
    ['options-build', fieldsOf('src/api/build.ts', 'BuildOptions')],
    ['options-import', fieldsOf('src/interop/import-index.ts', 'ImportOptions')],
    ['options-estimate', fieldsOf('src/pipeline/estimate-memory.ts', 'EstimateOptions')],
    ['options-suggest', fieldsOf('src/plan/suggest-quantization.ts', 'SuggestQuantizationOptions')],
    ['options-open', fieldsOf('src/api/search.ts', 'OpenOptions')],
    ['options-search', fieldsOf('src/api/search.ts', 'SearchOptions')],
    ['options-text-search', fieldsOf('src/api/search.ts', 'TextSearchOptions')],
    ['options-facets', fieldsOf('src/api/search.ts', 'FacetOptions')],
    ['options-measure', fieldsOf('src/api/measure.ts', 'MeasureOptions', 'RecallOptions', 'TuneOptions')],
    ['options-worker', fieldsOf('src/api/worker.ts', 'WorkerOptions')],
    ['options-writer', namesOfChanges('WriteOptions')],
    ['options-settings', namesOfChanges('CreateOptions')],
    ['options-compact', fieldsOf('src/api/live.ts', 'CompactOptions')],
    ['options-export', fieldsOf('src/interop/export-index.ts', 'ExportOptions')],
    ['report-fields', fieldsOf('src/api/report.ts', 'BuildReport')],
  ])('%s has every name, and no other', (table, fields) => {
    expect(fields.length).toBeGreaterThan(2)
    expect(namesIn(table).sort()).toEqual(fields.sort())
  })

  const defaultIn = ({ defaultValue, fallback = '' }: OptionFacts, quote: string): string => {
    if (defaultValue === undefined) return fallback
    return typeof defaultValue === 'string' ? quote + defaultValue + quote : String(defaultValue)
  }

  it('say what the defaults of a build are', () => {
    const listed = rowsOf('options-build').map(([name, value]) => [plain(name), plain(value)])
    expect(listed.sort()).toEqual(
      optionFacts(BUILD_OPTIONS)
        .map((option) => [option.name, defaultIn(option, "'")])
        .sort(),
    )
  })

  it('say of the flags of a build what the help says', () => {
    const listed = rowsOf('flags-build').map((cells) => cells.map(plain))
    for (const option of optionFacts(BUILD_COMMAND_OPTIONS)) {
      if (option.flag === undefined) continue
      const value = option.kind === 'flag' ? '' : defaultIn(option, '')
      expect(listed).toContainEqual([option.flag, value, option.help])
    }
  })

  it.each(COMMANDS.map((command) => ({ name: command.name(), command })))(
    'list the flags of shardloom $name',
    ({ name, command }) => {
      const common = namesIn('flags-common').filter((flag) => flag !== '-h, --help')
      const listed = rowsOf(`flags-${name}`).map(([flag]) => plain(flag))
      // Arguments are in the table too: `<DIR>`.
      const flags = listed.filter((flag) => flag.startsWith('-'))
      const known = command.options.filter(({ hidden }) => !hidden).map((option) => option.flags)
      expect([...flags, ...common].sort()).toEqual(known.sort())
    },
  )
})

describe('docs/cli.md and docs/cli-changes.md', () => {
  it('have a section for each command, in the order of the help', () => {
    const names = COMMANDS.map((command) => command.name())
    for (const page of new Set(names.map(pageOf))) {
      const sections = [...textOf(page).matchAll(/^\*\*`shardloom (\w+)/gm)].map((match) => match[1])
      expect(sections).toEqual(names.filter((name) => pageOf(name) === page))
    }
  })
})

describe('docs/errors.md', () => {
  it('has a paragraph for each code, and for no other', () => {
    const sources = ['src', 'spill', 'kernel', 'workers']
      .flatMap((folder) => filesIn(folder, '.ts'))
      .filter((name) => !name.startsWith('kernel/assembly/'))
      .map(textOf)
      .join('\n')
    const codes = new Set([...sources.matchAll(/'(SHARDLOOM_[A-Z_]+)'/g)].map((match) => match[1]))
    const headings = [...textOf('docs/errors.md').matchAll(/^### `(\w+)`/gm)].map((match) => match[1])
    expect(codes.size).toBeGreaterThan(20)
    expect(headings.sort()).toEqual([...codes].sort())
  })
})

/** Where the links of a page lead, inside the repository: a path, and the heading in it, '' when it names none. */
function linksOf(page: string): { readonly target: string; readonly heading: string }[] {
  const text = textOf(page).replaceAll(/^```.*?^```/gms, '')
  return [...text.matchAll(/\]\(([^)\s]*)\)/g)]
    .map((match) => match[1])
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => {
      const [file, heading = ''] = link.split('#')
      return { target: file === '' ? page : path.posix.join(path.posix.dirname(page), file), heading }
    })
}

/** The anchors that GitHub and npm make of headings. */
function anchorsOf(page: string): string[] {
  const text = textOf(page).replaceAll(/^```.*?^```/gms, '')
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

const NAMED_PATH = /`((?:src|test|spill|kernel|workers|bench|docs|examples|scripts)\/[\w./-]+)`/g

describe.each(PAGES)('%s', (page) => {
  it('leads to files and headings that exist', () => {
    const dead = linksOf(page).filter(({ target, heading }) => {
      if (!existsSync(path.join(REPOSITORY, target))) return true
      return heading !== '' && !anchorsOf(target).includes(heading)
    })
    expect(dead).toEqual([])
  })

  it('names paths that exist', () => {
    const named = [...textOf(page).matchAll(NAMED_PATH)].map((match) => match[1])
    expect(named.filter((name) => !existsSync(path.join(REPOSITORY, name)))).toEqual([])
  })
})

describe('a reader', () => {
  it('has a README of 160 lines at most, and pages that are read in one sitting', () => {
    const linesOf = (page: string): number => textOf(page).split('\n').length - 1
    expect(linesOf('README.md')).toBeLessThanOrEqual(160)
    expect(DOCS.filter((page) => linesOf(page) > 300)).toEqual([])
  })

  it('comes to every page of docs/ from README and docs/README.md', () => {
    const reached = new Set(
      ['README.md', 'docs/README.md'].flatMap((page) => linksOf(page).map(({ target }) => target)),
    )
    expect(DOCS.filter((page) => !reached.has(page))).toEqual([])
  })

  it('of the package finds every page that a page of it links to', () => {
    const { files } = JSON.parse(textOf('package.json')) as { files: readonly string[] }
    const isPacked = (name: string): boolean => files.some((entry) => name === entry || name.startsWith(`${entry}/`))
    const packed = PAGES.filter(isPacked)
    expect(packed).toEqual(expect.arrayContaining(['README.md', 'docs/README.md']))
    const missing = packed.flatMap((page) =>
      linksOf(page)
        .filter(({ target }) => !isPacked(target) || !statSync(path.join(REPOSITORY, target)).isFile())
        .map(({ target }) => `${page} -> ${target}`),
    )
    expect(missing).toEqual([])
  })
})
