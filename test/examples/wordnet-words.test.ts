import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { projectFolder, REPOSITORY, run, runTypeScript } from './run.js'

const README = readFileSync(path.join(REPOSITORY, 'examples/wordnet-words/README.md'), 'utf8')
const PROGRAM = path.join(REPOSITORY, 'examples/wordnet-words/words.ts')

describe('wordnet-words', () => {
  const project = projectFolder()

  it('answers by meaning, by words and by both, as its README shows', async () => {
    const ended = await runTypeScript(PROGRAM, ['money', 'borrow'], { cwd: project.path })
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    expect(README).toContain(`\`\`\`text\n${ended.stdout}\`\`\``)
  })

  it('finds only what the filter keeps, in all three ways', async () => {
    const ended = await runTypeScript(PROGRAM, ['snow', 'cold weather', '{"pos":"verb"}'], { cwd: project.path })
    expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
    const [, ...rows] = ended.stdout.trimEnd().split('\n')
    expect(rows).toHaveLength(6)
    for (const row of rows) expect(row.match(/\((\w+)\)/g)).toEqual(expect.arrayContaining(['(verb)']))
    expect(ended.stdout).not.toMatch(/\((noun|adjective)\)/)
  })

  it('names what is wrong with a filter', async () => {
    const ended = await runTypeScript(PROGRAM, ['snow', 'cold', '{"poss":"verb"}'], { cwd: project.path })
    expect(ended.exitCode).toBe(2)
    expect(ended.stderr).toContain('"pos"')
  })

  it('runs from the command line as its README shows', async () => {
    const [, block = ''] = /```sh\n(npx shardloom build .*?)```/s.exec(README) ?? []
    const ended = await run('sh', ['-e', '-c', block], { cwd: project.path, env: project.env })
    expect(ended).toMatchObject({ exitCode: 0 })
    expect(ended.stdout).toContain('loot')
    expect(ended.stdout).toMatch(/noun\.artifact +\d+/)
  })
})
