/**
 * Writes what is generated between markers: tables of Markdown files (`<!-- table: NAME -->` … `<!-- /table -->`), and
 * the members of interfaces (`// <generated NAME>` … `// </generated>`). With --check it writes nothing, and ends with 1
 * when something differs.
 *
 * node --import tsx scripts/write-docs.mjs [--check] [Markdown file…]
 *
 * Without a file: README.md, ARCHITECTURE.md, docs and src.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import prettier from 'prettier'
import { tableText } from './docs/cells.mjs'
import { INTERFACES } from './docs/interfaces.mjs'
import { OPTION_TABLES } from './docs/option-tables.mjs'
import { SOURCE_TABLES } from './docs/source-tables.mjs'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TABLES = { ...OPTION_TABLES, ...SOURCE_TABLES }

const MARKDOWN_BLOCK = /^<!-- table: (.*) -->\n[^]*?^<!-- \/table -->$/gm
const SOURCE_BLOCK = /^( *)\/\/ <generated (.*)>\n[^]*?^ *\/\/ <\/generated>$/gm

const filesIn = (folder, extension) =>
  readdirSync(path.join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(extension))
    .map((name) => path.join(folder, name))

class UnknownBlock extends Error {}

function generate(generators, what, name, file) {
  if (Object.hasOwn(generators, name)) return generators[name]()
  throw new UnknownBlock(
    `${file}: no ${what} is called ${name}; the names are ${Object.keys(generators).sort().join(', ')}`,
  )
}

/** The text of a file with its blocks as they must be, and the names of the blocks that differ. */
async function withBlocks(text, pattern, blockFor) {
  const differing = []
  let result = ''
  let end = 0
  for (const match of text.matchAll(pattern)) {
    const { name, block } = await blockFor(match)
    if (block !== match[0]) differing.push(name)
    result += text.slice(end, match.index) + block
    end = match.index + match[0].length
  }
  return { text: result + text.slice(end), differing }
}

async function markdownBlock(file, [, name]) {
  const table = tableText(generate(TABLES, 'table', name, file))
  const aligned = await prettier.format(table, {
    ...(await prettier.resolveConfig(path.join(ROOT, file))),
    parser: 'markdown',
  })
  return { name, block: `<!-- table: ${name} -->\n\n${aligned}\n<!-- /table -->` }
}

function sourceBlock(file, [, indent, name]) {
  const members = generate(INTERFACES, 'interface', name, file)
  return { name, block: `${indent}// <generated ${name}>\n${members}\n${indent}// </generated>` }
}

const args = process.argv.slice(2)
const isCheck = args.includes('--check')
const named = args.filter((arg) => !arg.startsWith('--'))
const markdown = named.length > 0 ? named : ['README.md', 'ARCHITECTURE.md', ...filesIn('docs', '.md')]
const sources = named.length > 0 ? [] : filesIn('src', '.ts')
const files = [
  ...markdown.map((file) => ({ file, pattern: MARKDOWN_BLOCK, blockFor: (match) => markdownBlock(file, match) })),
  ...sources.map((file) => ({ file, pattern: SOURCE_BLOCK, blockFor: (match) => sourceBlock(file, match) })),
]

async function writeBlocks({ file, pattern, blockFor }) {
  const place = path.resolve(ROOT, file)
  const { text, differing } = await withBlocks(readFileSync(place, 'utf8'), pattern, blockFor)
  if (differing.length === 0) return
  if (isCheck) {
    process.exitCode = 1
    for (const name of differing) console.error(`${file}: ${name} differs; npm run docs writes it`)
  } else {
    writeFileSync(place, text)
    console.log(`${file}: ${differing.join(', ')}`)
  }
}

try {
  for (const each of files) await writeBlocks(each)
} catch (error) {
  if (!(error instanceof UnknownBlock)) throw error
  console.error(error.message)
  process.exitCode = 1
}
