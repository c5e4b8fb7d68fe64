import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { createProgram } from '../../src/cli/program.js'
import { BUILD_COMMAND_OPTIONS, BUILD_OPTIONS } from '../../src/options/build-options.js'
import { optionFacts, type OptionFacts } from '../../src/options/option-facts.js'
import { Terminal } from '../../src/cli/screen/terminal.js'
import { REPOSITORY } from './run.js'

/** What the documents list is compared with what there is, so that neither grows alone. */

const textOf = (name: string): string => readFileSync(path.join(REPOSITORY, name), 'utf8')

const DOCUMENTS = [
  'README.md',
  'PERFORMANCE.md',
  'bench/README.md',
  'ARCHITECTURE.md',
  'RELIABILITY.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'docs/errors.md',
  'docs/format.md',
]
const README = textOf('README.md')

/** The cells of every table row between two places of a text whose first is in backticks. */
function tableRows(text: string, from: string, to: string): string[][] {
  const start = text.indexOf(from)
  const end = text.indexOf(to, start + from.length)
  if (start < 0 || end < 0) throw new Error(`no text from ${from} to ${to}`)
  const lines = text.slice(start, end).matchAll(/^\| (`.*) \|$/gm)
  return [...lines].map(([, line]) => line.split(' | ').map((cell) => cell.trim()))
}

/** The first column of every table row between two places of a text, without backticks. */
function firstColumn(text: string, from: string, to: string): string[] {
  const start = text.indexOf(from)
  const end = text.indexOf(to, start + from.length)
  if (start < 0 || end < 0) throw new Error(`no text from ${from} to ${to}`)
  const rows = text.slice(start, end).matchAll(/^\| (`.*?`) +\|/gm)
  return [...rows].flatMap(([, cell]) => [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1]))
}

function typeScriptFiles(folder: string): string[] {
  return readdirSync(path.join(REPOSITORY, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => path.posix.join(folder, name.replaceAll('\\', '/')))
    .filter((name) => name.endsWith('.ts') && !name.startsWith('kernel/assembly/'))
}

function fieldsOf(interfaceName: string): string[] {
  const types = ['src/api/build.ts', 'src/api/report.ts'].map(textOf).join('\n')
  const body = new RegExp(`export interface ${interfaceName} {\n(.*?)\n}`, 's').exec(types)?.[1] ?? ''
  return [...body.matchAll(/^ {2}readonly (\w+)/gm)].map((match) => match[1])
}

describe('README', () => {
  it('lists the options of a build', () => {
    const listed = firstColumn(README, '### `buildIndex', 'It resolves to')
    expect(listed.length).toBeGreaterThan(10)
    expect(listed.sort()).toEqual(fieldsOf('BuildOptions').sort())
  })

  const defaultIn = ({ defaultValue, fallback = '' }: OptionFacts, quote: string): string => {
    if (defaultValue === undefined) return fallback.replaceAll('build/', '`build/`')
    return `\`${typeof defaultValue === 'string' ? quote + defaultValue + quote : String(defaultValue)}\``
  }

  it('says what the defaults of a build are', () => {
    const listed = tableRows(README, '### `buildIndex', 'A build that is stopped').map(([name, value]) => [name, value])
    const facts = optionFacts(BUILD_OPTIONS).map((option) => [`\`${option.name}\``, defaultIn(option, "'")])
    expect(listed.sort()).toEqual(facts.sort())
  })

  it('says of the flags of a build what the help says', () => {
    const plain = (cell: string): string => cell.replaceAll('`', '')
    const listed = tableRows(README, '**`shardloom build', '**`shardloom search').map((cells) => cells.map(plain))
    for (const option of optionFacts(BUILD_COMMAND_OPTIONS)) {
      if (option.flag === undefined) continue
      const value = option.kind === 'flag' ? '' : plain(defaultIn(option, ''))
      expect(listed).toContainEqual([option.flag, value, option.help])
    }
  })

  it('lists the fields of a report', () => {
    const listed = firstColumn(README, 'It resolves to', '### Searching')
    expect(listed.length).toBeGreaterThan(10)
    expect(listed.sort()).toEqual(fieldsOf('BuildReport').sort())
  })

  const program = createProgram({ terminal: new Terminal(process.stdout, process.stderr), exitCode: 0 })
  const sections = README.split(/^(?=\*\*`shardloom )|^(?=\| exit code)/m)

  it('has a section for each command', () => {
    const named = sections.flatMap((section) => /^\*\*`shardloom (\w+)/.exec(section)?.[1] ?? [])
    expect(named).toEqual(program.commands.map((command) => command.name()))
  })

  it.each(program.commands.map((command) => ({ name: command.name(), command })))(
    'lists the flags of shardloom $name',
    ({ name, command }) => {
      const section = sections.find((text) => text.startsWith(`**\`shardloom ${name}`)) ?? ''
      const listed = [...section.matchAll(/^\| `(-.+?)` +\|/gm)].map((match) => match[1])
      const common = firstColumn(README, 'Every command takes these', '**`shardloom build').filter(
        (flag) => flag !== '-h, --help',
      )
      expect([...listed, ...common].sort()).toEqual(
        command.options
          .filter(({ hidden }) => !hidden)
          .map(({ flags }) => flags)
          .sort(),
      )
    },
  )
})

describe('docs/errors.md', () => {
  it('has a paragraph for each code, and for no other', () => {
    const sources = ['src', 'spill', 'kernel', 'workers'].flatMap(typeScriptFiles).map(textOf).join('\n')
    const codes = new Set([...sources.matchAll(/'(SHARDLOOM_[A-Z_]+)'/g)].map((match) => match[1]))
    const headings = [...textOf('docs/errors.md').matchAll(/^### `(\w+)`/gm)].map((match) => match[1])
    expect(codes.size).toBeGreaterThan(20)
    expect(headings.sort()).toEqual([...codes].sort())
  })
})

describe.each(DOCUMENTS)('%s', (document) => {
  it('leads to files that exist', () => {
    const text = textOf(document)
    const folder = path.posix.dirname(document)
    const links = [...text.matchAll(/\]\(([^)#:]+)\)/g)].map((match) => path.posix.join(folder, match[1]))
    const named = [...text.matchAll(/`((?:src|test|spill|kernel|workers|bench|docs|examples|scripts)\/[\w./-]+)`/g)]
    const missing = [...links, ...named.map((match) => match[1])].filter(
      (name) => !existsSync(path.join(REPOSITORY, name)),
    )
    expect(missing).toEqual([])
  })
})
