/** What a command loads of the bundle and of packages: most of the time of a short command. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { CLI } from '../examples/run.js'
import { randomRows, writeFvecs } from './shardloom.js'

interface Coverage {
  readonly result: readonly { readonly url: string }[]
}

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'shardloom-loads-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** The files that the command loads, a list for each of its threads. */
function loadedBy(...args: readonly string[]): string[][] {
  const coverage = join(folder, 'coverage')
  const env = { ...process.env, NODE_V8_COVERAGE: coverage }
  const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], { encoding: 'utf8', env, cwd: folder })
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  return readdirSync(coverage).map((name) => {
    const { result } = JSON.parse(readFileSync(join(coverage, name), 'utf8')) as Coverage
    return result.map(({ url }) => url).filter((url) => url.startsWith('file:'))
  })
}

function packagesIn(files: readonly string[]): string[] {
  const names = files.map((file) => /\/node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1])
  return [...new Set(names.filter((name) => name !== undefined))].sort()
}

it('--version is answered with a few files and no package', () => {
  const [files] = loadedBy('--version')
  expect(packagesIn(files)).toEqual([])
  expect(files.filter((file) => /commander|execute/.test(file))).toEqual([])
  expect(files.length).toBeLessThanOrEqual(10)
})

it('--help loads what describes the commands, and no package', () => {
  const [files] = loadedBy('--help')
  expect(packagesIn(files)).toEqual([])
  expect(files.filter((file) => /commander/.test(file))).toHaveLength(1)
  expect(files.length).toBeLessThanOrEqual(30)
})

it('a small build has no thread besides, and loads neither the other engine, nor Parquet, nor pages', async () => {
  await writeFvecs(join(folder, 'a.fvecs'), randomRows(100, 16))
  const threads = loadedBy('build', 'a.fvecs', '--out', 'an.index', '--quiet')
  expect(threads).toHaveLength(1)
  for (const files of threads) {
    expect(packagesIn(files).filter((name) => name !== 'piscina' && name !== 'lilconfig')).toEqual([])
    expect(files.filter((file) => /report-page|json-log|plan-parquet/.test(file))).toEqual([])
    expect(files.length).toBeLessThanOrEqual(50)
  }
})
