import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { findConfig, readConfig } from '../../src/options/config/config-file.js'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'shardloom-config-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function write(name: string, content: string): string {
  const file = path.join(folder, name)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, content)
  return file
}

describe('findConfig', () => {
  it.each([
    ['shardloom.config.json', '{ "m": 8 }'],
    ['shardloom.config.mjs', 'export default { m: 4 + 4 }'],
    ['shardloom.config.js', 'export default { m: 8 }'],
    ['shardloom.config.js', 'module.exports = { m: 8 }'],
    ['shardloom.config.ts', 'const m: number = 8\nexport default { m } satisfies object'],
  ])('reads %s', async (name, content) => {
    const file = write(name, content)
    expect(await findConfig(folder)).toEqual({ from: file, options: { m: 8 } })
  })

  it('reads the key of package.json', async () => {
    const file = write('package.json', '{ "name": "x", "shardloom": { "m": 8 } }')
    expect(await findConfig(folder)).toEqual({ from: `${file}#shardloom`, options: { m: 8 } })
  })

  it('takes the nearest file above, and skips a package.json without the key', async () => {
    write('shardloom.config.json', '{ "m": 8 }')
    write('a/shardloom.config.json', '{ "m": 9 }')
    write('a/b/package.json', '{ "name": "b" }')
    mkdirSync(path.join(folder, 'a/b/c'))
    expect(await findConfig(path.join(folder, 'a/b/c'))).toMatchObject({ options: { m: 9 } })
  })

  it('finds none where there is none', async () => {
    expect(await findConfig(folder)).toBeUndefined()
  })

  it("resolves paths from the file's folder, and keeps '-' for standard input", async () => {
    write('shardloom.config.json', '{ "path": "an.index", "input": ["a.npy", "-", "/b.npy"], "ids": "../ids.txt" }')
    write('hosts.json', '{ "cluster": "redis://host", "sharedDir": "shared" }')
    mkdirSync(path.join(folder, 'sub'))
    expect((await findConfig(path.join(folder, 'sub')))?.options).toEqual({
      path: path.join(folder, 'an.index'),
      input: [path.join(folder, 'a.npy'), '-', path.resolve('/b.npy')],
      ids: path.join(path.dirname(folder), 'ids.txt'),
    })
    expect((await readConfig(path.join(folder, 'hosts.json'))).options).toEqual({
      cluster: 'redis://host',
      sharedDir: path.join(folder, 'shared'),
    })
  })

  it.each([
    ['{ "m": 16, }', 'SHARDLOOM_INVALID_FILE', 'it is not JSON'],
    ['', 'SHARDLOOM_INVALID_FILE', 'it is empty'],
    ['[]', 'SHARDLOOM_INVALID_OPTION', 'options must be an object, got an array'],
    ['null', 'SHARDLOOM_INVALID_OPTION', 'options must be an object, got null'],
    ['{ "m": 3 }', 'SHARDLOOM_INVALID_OPTION', 'm must be an integer from 4 to 64, got 3'],
    ['{ "metrics": "l2" }', 'SHARDLOOM_INVALID_OPTION', 'unknown option "metrics"; did you mean "metric"?'],
    ['{ "onProgress": 1 }', 'SHARDLOOM_INVALID_OPTION', 'unknown option "onProgress"'],
    ['{ "input": [] }', 'SHARDLOOM_INVALID_OPTION', 'input must be a path, or several, got []'],
    ['{ "input": 5 }', 'SHARDLOOM_INVALID_OPTION', 'input must be a path, or several, got 5'],
  ])('refuses %s with the name of the file', async (content, code, message) => {
    const file = write('shardloom.config.json', content)
    const error = await findConfig(folder).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code, message: expect.stringContaining(`${file}: ${message}`) as string })
  })

  it.each([
    ['shardloom.config.mjs', 'throw new Error("no database")', 'it failed: no database'],
    ['shardloom.config.mjs', 'import "./absent.mjs"', 'it failed: Cannot find module'],
    ['shardloom.config.mjs', 'export const m = 8', 'it has no default export: export default { … }'],
    ['shardloom.config.ts', 'export default {', 'it failed: '],
  ])('says what %s came to', async (name, content, message) => {
    const file = write(name, content)
    await expect(findConfig(folder)).rejects.toThrow(`${file}: ${message}`)
  })
})

describe('readConfig', () => {
  it('reads a file of any name', async () => {
    const file = write('nightly.json', '{ "m": 8 }')
    expect(await readConfig(file)).toEqual({ from: file, options: { m: 8 } })
  })

  it('says that there is no such file', async () => {
    const file = path.join(folder, 'absent.json')
    await expect(readConfig(file)).rejects.toThrow(`${file}: there is no such configuration file`)
  })

  it('names the extensions that it can read', async () => {
    await expect(readConfig(write('a.yaml', ''))).rejects.toThrow('must end with .json, .ts, .js or .mjs')
  })

  it('says that a package.json has no key', async () => {
    await expect(readConfig(write('package.json', '{}'))).rejects.toThrow('it has no key "shardloom"')
  })
})
