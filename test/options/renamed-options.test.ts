import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { BuildOptions, Logger } from '../../src/api/build.js'
import { InvalidOptionError } from '../../src/errors.js'
import { estimateMemory, suggestQuantization, suggestStorage, type EstimateOptions } from '../../src/index.js'
import { checkOptions } from '../../src/options/check-options.js'
import { readConfig } from '../../src/options/config/config-file.js'
import { importOptionsSchema } from '../../src/options/import-options.js'
import { resolveOptions } from '../../src/options/resolve-options.js'
import { onlyJson, randomRows, shardloom, writeFvecs } from '../cli/shardloom.js'

const MESSAGE = 'storage is called quantization now; the old name is accepted until the next release'
const BOTH = 'storage is the old name of quantization, and both are given; give quantization only'

/** A logger that keeps its warnings. */
function recorder(): { logger: Logger; warnings: string[] } {
  const warnings: string[] = []
  return { logger: { info: () => undefined, warn: (message) => warnings.push(message) }, warnings }
}

let folder: string
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'shardloom-renamed-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(() => vi.restoreAllMocks())

describe('the old name of an option', () => {
  it('is accepted in a build, and the logger says so once', () => {
    const { logger, warnings } = recorder()
    const options = { path: 'x', storage: 'sq8', logger } as BuildOptions
    expect(resolveOptions(options)).toMatchObject({ quantization: 'sq8', logger })
    expect(warnings).toEqual([MESSAGE])
  })

  it('is accepted in an import', () => {
    const { logger, warnings } = recorder()
    const options = { path: 'x', dimensions: 8, metric: 'l2', storage: 'f16', logger }
    expect(checkOptions(importOptionsSchema, options)).toMatchObject({ quantization: 'f16' })
    expect(warnings).toEqual([MESSAGE])
  })

  it('is a warning of the process, once, where there is no logger', () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const shape = { count: 1e6, dimensions: 128, memory: '2GB' }
    const old = estimateMemory({ ...shape, storage: 'sq8' } as EstimateOptions)
    expect(old).toEqual(estimateMemory({ ...shape, quantization: 'sq8' }))
    estimateMemory({ ...shape, storage: 'pq' } as EstimateOptions)
    expect(warn.mock.calls).toEqual([[MESSAGE, 'DeprecationWarning']])
  })

  it('is checked like the new one', () => {
    const options = { path: 'x', storage: 'sq9', logger: recorder().logger } as unknown as BuildOptions
    expect(() => resolveOptions(options)).toThrow('quantization must be one of f32, f16, sq8, pq, binary, got "sq9"')
  })

  it('is refused beside the new one, unless it is undefined', () => {
    const { logger, warnings } = recorder()
    const both = { path: 'x', storage: 'sq8', quantization: 'sq8', logger } as BuildOptions
    expect(() => resolveOptions(both)).toThrow(new InvalidOptionError(BOTH))
    expect(resolveOptions({ ...both, storage: undefined } as BuildOptions)).toMatchObject({ quantization: 'sq8' })
    expect(warnings).toEqual([])
  })

  it('is accepted in a configuration file', async () => {
    const file = path.join(folder, 'old.json')
    writeFileSync(file, JSON.stringify({ storage: 'f16' }))
    const warnings: string[] = []
    expect(await readConfig(file, (message) => warnings.push(message))).toEqual({
      from: file,
      options: { quantization: 'f16' },
    })
    expect(warnings).toEqual([`${file}: ${MESSAGE}`])
    writeFileSync(file, JSON.stringify({ storage: 'f16', quantization: 'f16' }))
    await expect(readConfig(file)).rejects.toThrow(new InvalidOptionError(`${file}: ${BOTH}`))
  })

  it('is still the name of a function', () => {
    expect(suggestStorage).toBe(suggestQuantization)
  })
})

describe('--storage', () => {
  const estimate = ['estimate', '--count', '1000', '--dimensions', '8', '--json']

  it('is accepted, not in the help, and said on stderr', async () => {
    const { stdout, stderr } = await shardloom([...estimate, '--storage', 'sq8'])
    expect(onlyJson(stdout)).toMatchObject({ fits: true })
    expect(stderr).toBe(`warning: ${MESSAGE}\n`)
    expect((await shardloom(['estimate', '--help'])).stdout).not.toContain('storage')
  })

  it('is checked, and refused beside --quantization', async () => {
    const wrong = await shardloom([...estimate, '--storage', 'sq9'])
    expect(wrong).toMatchObject({ exitCode: 2 })
    expect(wrong.stderr).toContain('--storage must be one of f32, f16, sq8, pq, binary, got "sq9"')
    const both = await shardloom([...estimate, '--storage', 'sq8', '--quantization', 'sq8'])
    expect(both).toMatchObject({ exitCode: 2 })
    expect(both.stderr).toContain(BOTH)
  })

  it('wins over a configuration file with either name', async () => {
    await writeFvecs(path.join(folder, 'rows.fvecs'), randomRows(50, 8))
    mkdirSync(path.join(folder, 'project'))
    const config = path.join(folder, 'project', 'shardloom.config.json')
    writeFileSync(config, JSON.stringify({ storage: 'f16', input: '../rows.fvecs', path: 'x.index' }))
    const args = ['build', '--storage', 'sq8', '--print-config', '--json']
    const { stdout, stderr } = await shardloom(args, { cwd: path.dirname(config) })
    expect(onlyJson(stdout)).toMatchObject({ options: { quantization: { value: 'sq8', from: 'flag' } } })
    expect(stderr).toBe(`warning: ${MESSAGE}\nwarning: ${config}: ${MESSAGE}\n`)
    const quiet = await shardloom(['build', '--quiet', '--json'], { cwd: path.dirname(config) })
    expect(quiet).toMatchObject({ exitCode: 0, stderr: '' })
    expect(onlyJson(quiet.stdout)).toMatchObject({ quantization: 'f16' })
  })
})
