/** The package as a user gets it: packed, installed in an empty folder, imported and required. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { makeFolder } from '../fixtures/builds.js'

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))
const PROGRAM = `
const vectors = Array.from({ length: 300 }, (_, i) => ({ id: 'v' + i, vector: [Math.sin(i), Math.cos(i), i / 300, 1] }))
await buildIndex(vectors, { path: 'small.index' })
const index = await openIndex('small.index')
console.log(index.search(vectors[7].vector, { k: 1 })[0].id)
await index.close()
`

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string; readonly size: number }[]
  readonly unpackedSize: number
}

function ended(command: string, args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  expect({ status, stderr: status === 0 ? '' : stderr }).toEqual({ status: 0, stderr: '' })
  return stdout
}

describe('the package', () => {
  const folder = makeFolder()
  const project = join(folder, 'project')
  let packed: Packed

  beforeAll(() => {
    const listed = ended('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], REPOSITORY)
    packed = (JSON.parse(listed) as Packed[])[0]
    mkdirSync(project)
    writeFileSync(join(project, 'package.json'), '{}')
    ended('npm', ['install', '--no-audit', '--no-fund', join(folder, packed.filename)], project)
  }, 240_000)

  it('holds what runs, its types and its documents, and nothing else', () => {
    const others = packed.files
      .map(({ path }) => path)
      .filter((path) => !/^dist\/bundle\/((lib|workers)\/[\w-]+\.c?js|kernel\/[\w-]+\.wasm|LICENSES\.md)$/.test(path))
      .filter((path) => !/^dist\/(kernel|spill|src|workers)\/.*\.d\.ts$/.test(path))
      .filter((path) => !/^(docs\/.*\.md|[A-Z]+\.md|LICENSE|package\.json)$/.test(path))
    expect(others).toEqual([])
    expect(packed.files.filter(({ path }) => path.endsWith('.wasm')).length).toBe(2)
    expect(packed.unpackedSize).toBeLessThan(4e6)
  })

  it('is imported by a module', () => {
    writeFileSync(join(project, 'a.mjs'), `import { buildIndex, openIndex } from 'shardloom'\n${PROGRAM}`)
    expect(ended(process.execPath, ['a.mjs'], project)).toBe('v7\n')
  })

  it('is required by a CommonJS program', () => {
    const body = `const { buildIndex, openIndex } = require('shardloom')\nasync function main() {${PROGRAM}}\nvoid main()`
    writeFileSync(join(project, 'b.cjs'), body)
    expect(ended(process.execPath, ['b.cjs'], project)).toBe('v7\n')
  })

  it('is imported by a CommonJS program', () => {
    const body = `async function main() {\nconst { buildIndex, openIndex } = await import('shardloom')\n${PROGRAM}}\nvoid main()`
    writeFileSync(join(project, 'c.cjs'), body)
    expect(ended(process.execPath, ['c.cjs'], project)).toBe('v7\n')
  })

  it('brings its command', () => {
    expect(ended('npx', ['--no-install', 'shardloom', '--version'], project)).toMatch(/^\d+\.\d+\.\d+/)
    expect(ended('npx', ['--no-install', 'shardloom', 'info', 'small.index'], project)).toContain('300')
  })
})
