import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import prettier from 'prettier'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))

function writeDocs(...args: string[]): { status: number | null; stdout: string; stderr: string } {
  const command = ['--import', 'tsx', 'scripts/write-docs.mjs', ...args]
  return spawnSync(process.execPath, command, { cwd: REPOSITORY, encoding: 'utf8' })
}

const NAMES = [
  ...['build', 'config', 'import', 'export', 'estimate', 'suggest', 'open', 'search', 'measure'].map(
    (use) => `options-${use}`,
  ),
  ...['build', 'search', 'recall', 'info', 'report', 'verify', 'estimate', 'export', 'import', 'common'].map(
    (command) => `flags-${command}`,
  ),
  'report-fields',
  'exit-codes',
  'error-codes',
]

describe('npm run docs', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'shardloom-docs-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('has nothing to write: interfaces and tables are as the schemas say', () => {
    expect(writeDocs('--check')).toMatchObject({ status: 0, stderr: '' })
  }, 120_000)

  it('fills every table so that prettier leaves it as it is, and checks them', async () => {
    const file = path.join(folder, 'all.md')
    writeFileSync(file, NAMES.map((name) => `# ${name}\n\n<!-- table: ${name} -->\n<!-- /table -->\n`).join('\n'))
    const before = writeDocs('--check', file)
    expect(before.status).toBe(1)
    expect(before.stderr).toContain(`${file}: flags-info differs; npm run docs writes it`)
    expect(writeDocs(file)).toMatchObject({ status: 0, stderr: '' })
    expect(writeDocs('--check', file)).toMatchObject({ status: 0, stdout: '', stderr: '' })
    const text = readFileSync(file, 'utf8')
    const style = await prettier.resolveConfig(path.join(REPOSITORY, 'README.md'))
    expect(await prettier.check(text, { ...style, parser: 'markdown' })).toBe(true)
    expect(text).toMatch(/^\| `keepGenerations` +\| `1` +\| Old generations kept beside the live one\. +\|$/m)
    expect(text).toMatch(/^\| `--metric <M>` +\| required +\| `l2`, `cosine` or `ip` +\|$/m)
    expect(text).toMatch(/^\| `<DIR>` +\| required +\| the index directory +\|$/m)
    expect(text).toMatch(/^\| `130` +\| interrupted by SIGINT or SIGTERM +\|$/m)
    expect(text).toMatch(/^\| `count` +\| `number` +\| Vectors in the index\. +\|$/m)
    expect(text).toMatch(/^\| `SHARDLOOM_DISK_FULL` +\| `DiskFullError` +\| `3` +\| A write failed/m)
  }, 120_000)

  it('names the tables when it is asked for another one', () => {
    const file = path.join(folder, 'odd.md')
    writeFileSync(file, '<!-- table: options-sarch -->\n<!-- /table -->\n')
    const { status, stderr } = writeDocs(file)
    expect(status).toBe(1)
    expect(stderr).toContain(
      `${file}: no table is called options-sarch; the names are error-codes, exit-codes, flags-build`,
    )
  })
})
