import { readdirSync, readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { some } from '../whole.js'
import { installPacked } from '../fixtures/packed-package.js'
import { projectFolder, REPOSITORY, run, runTypeScript, type Ended } from './run.js'

/**
 * The programs and commands of README and of the pages in docs/ run, and print what the page shows. Each page has a
 * project: its blocks run in order, and later blocks use the indexes of earlier ones.
 */

interface Shown {
  readonly kind: 'program' | 'commands'
  readonly language: string
  readonly text: string
  readonly line: number
  /** The block `text output` that follows. */
  readonly output: Output | undefined
}

interface Output {
  readonly text: string
  /** Times and speeds differ from run to run: the text between the numbers is compared. */
  readonly numbersVary: boolean
}

const BLOCK = /^```(ts|js|sh)( runnable)?\n(.*?)^```\n(?:\n```text output(, numbers vary)?\n(.*?)^```\n)?/gms

function shownIn(markdown: string): Shown[] {
  return [...markdown.matchAll(BLOCK)].flatMap((match): Shown[] => {
    const [, language, runnable, body, vary, printed] = match as (string | undefined)[]
    if (language === undefined || body === undefined) return []
    const line = markdown.slice(0, match.index).split('\n').length
    const output = printed === undefined ? undefined : { text: printed, numbersVary: vary !== undefined }
    if (language !== 'sh')
      return runnable === undefined ? [] : [{ kind: 'program', language, text: body, line, output }]
    const commands = body.replaceAll('\\\n', ' ').split('\n')
    const text = commands.filter((command) => /npx shardloom|^node -e /.test(command)).join('\n')
    return text === '' ? [] : [{ kind: 'commands', language, text, line, output }]
  })
}

const textOf = (page: string): string => readFileSync(path.join(REPOSITORY, page), 'utf8')

const PAGES = readdirSync(path.join(REPOSITORY, 'docs'), { recursive: true, encoding: 'utf8' })
  .map((name) => path.posix.join('docs', name.replaceAll('\\', '/')))
  .filter((name) => name.endsWith('.md') && shownIn(textOf(name)).length > 0)

async function runShown(project: ReturnType<typeof projectFolder>, shown: Shown): Promise<void> {
  const { kind, language, text, line, output } = shown
  const options = { cwd: project.path, env: project.env }
  const program = project.file(`shown-${line}.${language}`)
  let ended: Ended
  if (kind === 'program') {
    await writeFile(program, text)
    ended = await runTypeScript(program, [], options)
  } else {
    ended = await run('sh', ['-e', '-c', text], options)
  }
  expect(ended).toMatchObject({ exitCode: 0 })
  // What is quiet, or goes to a file, prints nothing.
  if (!/ --quiet\b| > /.test(text)) expect(ended.stdout).not.toBe('')
  if (output?.numbersVary === true) expect(withoutNumbers(ended.stdout)).toBe(withoutNumbers(output.text))
  else if (output !== undefined) expect(ended.stdout).toBe(output.text)
}

/** Columns are as wide as their numbers. */
const withoutNumbers = (text: string): string => text.replaceAll(/\d[\d,.]*/g, '#').replaceAll(/ +/g, ' ')

describe('README.md', () => {
  const project = projectFolder()
  const shown = shownIn(textOf('README.md'))

  beforeAll(async () => {
    // It promises to run where the package is installed and nothing else of the repository is.
    await rm(project.file('examples'))
    await rm(project.file('node_modules'), { recursive: true })
    installPacked(project.path)
    const command = project.file('node_modules/shardloom/dist/bundle/lib/main.js')
    await writeFile(project.file('bin/npx'), `#!/bin/sh\nshift\nexec '${process.execPath}' '${command}' "$@"\n`)
  })

  it('shows a program and commands, each with its output', () => {
    expect(shown.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['program', 'commands']))
    expect(shown.every(({ output }) => output !== undefined)).toBe(true)
  })

  it.each(shown)('runs as it is shown: $kind of line $line', async (each) => {
    await runShown(project, each)
  })

  it('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(textOf('package.json')) as { scripts: object }
    const named = [...textOf('README.md').matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1])
    expect(named).toContain('demo')
    for (const name of named) expect(Object.keys(scripts)).toContain(name)
  })
})

describe.each(some(PAGES, 3))('%s', (page) => {
  const project = projectFolder()

  it.each(shownIn(textOf(page)))('runs as it is shown: $kind of line $line, $text', async (each) => {
    await runShown(project, each)
  })
})

it('every command and every guide shows something that runs', () => {
  const commands = shownIn(textOf('docs/cli.md')).map(({ text }) => text)
  for (const name of ['build', 'search', 'recall', 'info', 'report', 'verify', 'estimate', 'export', 'import']) {
    expect(commands.some((text) => text.includes(`npx shardloom ${name} `))).toBe(true)
  }
  const guides = readdirSync(path.join(REPOSITORY, 'docs/guides')).map((name) => `docs/guides/${name}`)
  expect(PAGES).toEqual(expect.arrayContaining(guides))
})
