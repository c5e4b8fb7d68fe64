import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onlyJson, randomRows, shardloom, writeFvecs, type Ended } from './shardloom.js'

let folder: string
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'shardloom-cli-config-'))
  mkdirSync(path.join(folder, 'sub'))
  await writeFvecs(path.join(folder, 'rows.fvecs'), randomRows(300, 8))
  const config = { input: 'rows.fvecs', path: 'of-config.index', m: 8, metric: 'cosine', seed: 7, quiet: true }
  writeFileSync(path.join(folder, 'shardloom.config.json'), JSON.stringify(config))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const below = (args: readonly string[]): Promise<Ended> => shardloom(args, { cwd: path.join(folder, 'sub') })
const configPath = (): string => path.join(folder, 'shardloom.config.json')

describe('a configuration file', () => {
  it('is found above, and stands for flags and input', async () => {
    const { exitCode, stdout, stderr } = await below(['build', '--json'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    const out = path.join(folder, 'of-config.index')
    expect(onlyJson(stdout)).toMatchObject({ count: 300, m: 8, metric: 'cosine', seed: 7, path: out })
  })

  it('comes after flags', async () => {
    const { stdout, stderr } = await below(['build', '--m', '12', '--out', 'mine.index', '--no-quiet', '--json'])
    expect(onlyJson(stdout)).toMatchObject({ m: 12, seed: 7, path: path.join(folder, 'sub/mine.index') })
    expect(stderr).toContain('stage publish')
  })

  it('is not read with --no-config', async () => {
    const { exitCode, stderr } = await below(['build', '--no-config'])
    expect(exitCode).toBe(2)
    expect(stderr).toMatch(/^error: no input: name files of vectors, or - for standard input/)
  })

  it('is another one with --config, and paths in it are from its folder', async () => {
    writeFileSync(path.join(folder, 'other.mjs'), "export default { input: 'rows.fvecs', tempDir: 'tmp' }")
    const { stdout } = await below(['build', '--config', '../other.mjs', '--print-config', '--json'])
    const { config, options } = onlyJson(stdout) as { config: string; options: Record<string, unknown> }
    const from = path.join(folder, 'other.mjs')
    expect(config).toBe(from)
    expect(options['input']).toEqual({ value: path.join(folder, 'rows.fvecs'), from })
    expect(options['tempDir']).toEqual({ value: path.join(folder, 'tmp'), from })
    expect(options['path']).toEqual({ value: null, from: 'default' })
  })

  it('that is wrong ends the build with 2, its name and the option', async () => {
    writeFileSync(path.join(folder, 'wrong.json'), '{ "metrics": "l2" }')
    const { exitCode, stdout, stderr } = await below(['build', '--config', '../wrong.json'])
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toBe(`error: ${path.join(folder, 'wrong.json')}: unknown option "metrics"; did you mean "metric"?\n`)
  })
})

describe('--print-config', () => {
  it('says where each option comes from, and builds nothing', async () => {
    const { exitCode, stdout, stderr } = await below(['build', '--threads', '2', '--no-resume', '--print-config'])
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })
    expect(stdout).toContain(`configuration file: ${configPath()}\n`)
    const rows = stdout.split('\n').map((line) => line.split(/ {2,}/))
    expect(rows).toContainEqual(['threads', '2', 'flag'])
    expect(rows).toContainEqual(['resume', 'false', 'flag'])
    expect(rows).toContainEqual(['m', '8', configPath()])
    expect(rows).toContainEqual(['quality', 'auto', 'default'])
    expect(rows).toContainEqual(['memory', '(the free memory)', 'default'])
  })
})
