import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectFolder, REPOSITORY, run, runTypeScript } from './run.js'

/** What README and the guides show runs, in the order in which they show it: later blocks use the indexes of earlier ones. */
interface Shown {
  readonly kind: 'program' | 'command'
  readonly text: string
  readonly line: number
}

const readme = readFileSync(path.join(REPOSITORY, 'README.md'), 'utf8')
const guides = readdirSync(path.join(REPOSITORY, 'docs/guides')).map((name) => `docs/guides/${name}`)

function shownIn(markdown: string): Shown[] {
  return [...markdown.matchAll(/^```(ts runnable|sh)\n(.*?)^```$/gms)].flatMap(
    ({ 1: info, 2: body, index }): Shown[] => {
      const line = markdown.slice(0, index).split('\n').length
      if (info === 'ts runnable') return [{ kind: 'program', text: body, line }]
      const commands = body.replaceAll('\\\n', ' ').split('\n')
      return commands.filter((text) => text.includes('npx shardloom')).map((text) => ({ kind: 'command', text, line }))
    },
  )
}

const shown = shownIn(readme)

async function runShown(project: ReturnType<typeof projectFolder>, { kind, text, line }: Shown): Promise<void> {
  const options = { cwd: project.path, env: project.env }
  const program = project.file(`shown-${line}.ts`)
  if (kind === 'program') await writeFile(program, text)
  const ended = await (kind === 'program' ? runTypeScript(program, [], options) : run('sh', ['-c', text], options))
  expect(ended).toMatchObject({ exitCode: 0 })
  // What is quiet, or goes to a file, prints nothing.
  if (!/ --quiet\b| > /.test(text)) expect(ended.stdout).not.toBe('')
}

describe('README', () => {
  const project = projectFolder()

  it('shows programs, and every command of the command line', () => {
    expect(shown.filter(({ kind }) => kind === 'program').length).toBeGreaterThanOrEqual(5)
    const commands = shown.filter(({ kind }) => kind === 'command').map(({ text }) => text)
    for (const name of ['build', 'search', 'recall', 'info', 'report', 'verify', 'estimate', 'export', 'import']) {
      expect(commands.some((command) => command.includes(`npx shardloom ${name} `))).toBe(true)
    }
  })

  it.each(shown)('runs as it is shown: $kind of line $line, $text', async (each) => {
    await runShown(project, each)
  })

  it('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(REPOSITORY, 'package.json'), 'utf8')) as { scripts: object }
    const named = [...readme.matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1])
    expect(named).toContain('demo')
    for (const name of named) expect(Object.keys(scripts)).toContain(name)
  })
})

describe.each(guides)('%s', (guide) => {
  const project = projectFolder()
  const steps = shownIn(readFileSync(path.join(REPOSITORY, guide), 'utf8'))

  it.each(steps)('runs as it is shown: $kind of line $line, $text', async (each) => {
    await runShown(project, each)
  })

  it('shows something that runs', () => {
    expect(steps.length).toBeGreaterThan(0)
  })
})
