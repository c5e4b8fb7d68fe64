import { describe, expect, expectTypeOf, it } from 'vitest'
import { ENGINE_NAMES, QUANTIZATIONS, type EngineName, type Quantization } from '../../src/api/report.js'
import { METRICS, type Metric } from '../../src/api/vectors.js'
import { BUILD_COMMAND_OPTIONS, BUILD_OPTIONS } from '../../src/options/build-options.js'
import { optionFacts } from '../../src/options/option-facts.js'
import { resolveOptions } from '../../src/options/resolve-options.js'

describe('the schema of build options', () => {
  it('knows every name of a type', () => {
    expectTypeOf(ENGINE_NAMES).items.toEqualTypeOf<EngineName>()
    expectTypeOf(QUANTIZATIONS).items.toEqualTypeOf<Quantization>()
    expectTypeOf(METRICS).items.toEqualTypeOf<Metric>()
  })

  it('gives every option a default, or words for it', () => {
    for (const { name, kind, defaultValue, fallback } of optionFacts(BUILD_OPTIONS)) {
      if (kind !== 'flag' && defaultValue === undefined) expect(fallback, name).toBeTypeOf('string')
    }
  })

  it('has a line of help for every flag', () => {
    const flags = optionFacts(BUILD_COMMAND_OPTIONS).filter(({ flag }) => flag !== undefined)
    expect(flags.map(({ flag }) => flag)).toContain('--keep-generations <N>')
    for (const { name, help } of flags) expect(help, name).not.toBe('')
  })
})

describe('resolveOptions', () => {
  const resolve = (options: object) => resolveOptions({ path: 'x', ...options })

  it.each([
    [{ path: '' }, 'path must be the path of the index directory, got ""'],
    [{ path: undefined }, 'path must be the path of the index directory, got undefined'],
    [{ metric: 'L2' }, 'metric must be one of l2, cosine, ip, got "L2"'],
    [{ m: 3 }, 'm must be an integer from 4 to 64, got 3'],
    [{ m: '16' }, 'm must be an integer from 4 to 64, got "16"'],
    [{ m: Number.NaN }, 'm must be an integer from 4 to 64, got NaN'],
    [{ threads: 1.5 }, 'threads must be an integer from 1 to 1024, got 1.5'],
    [{ engine: 'faiss' }, 'engine must be one of pipnn, hnswlib-wasm, got "faiss"'],
    [{ memory: 'lots' }, 'memory must be a size such as 512MB, 2GB or 1.5GiB, got "lots"'],
    [{ memory: 0 }, 'memory must be a size such as 512MB, 2GB or 1.5GiB, got 0'],
    [{ queueBytes: -1 }, 'queueBytes must be 0 or a size such as 512MB, 2GB or 1.5GiB, got -1'],
    [{ minRecall: 95 }, 'minRecall must be a number from 0 to 1, got 95'],
    [{ resume: 'no' }, 'resume must be true or false, got "no"'],
    [{ sourceFingerprint: 7 }, 'sourceFingerprint must be a string, got 7'],
    [{ onProgress: true }, 'onProgress must be a function, got true'],
    [{ logger: { info() {} } }, 'logger must be an object with the methods info and warn, got {}'],
    [{ signal: 5 }, 'signal must be an AbortSignal, got 5'],
    [{ keepGeneration: 1 }, 'unknown option "keepGeneration"; did you mean "keepGenerations"?'],
    [{ out: 'x' }, 'unknown option "out"; did you mean "path"?'],
    [{ 'min-recall': 1 }, 'unknown option "min-recall"; did you mean "minRecall"?'],
    [{ colour: 'red' }, 'unknown option "colour"'],
  ])('refuses %o', (options, message) => {
    expect(() => resolve(options)).toThrow(expect.objectContaining({ code: 'SHARDLOOM_INVALID_OPTION', message }))
  })

  it('refuses options that are not an object', () => {
    expect(() => resolveOptions(undefined as never)).toThrow('options must be an object, got undefined')
  })

  it('takes undefined as not given', () => {
    expect(resolve({ metric: undefined, m: undefined, memory: undefined, signal: undefined })).toMatchObject({
      metric: 'l2',
      m: 16,
      memoryBytes: undefined,
    })
  })

  it('reads sizes, also for queues', () => {
    expect(resolve({ memory: '2GiB', queueBytes: '64MB' })).toMatchObject({ memoryBytes: 2 ** 31, queueBytes: 64e6 })
    expect([0, '0', 1].map((queueBytes) => resolve({ queueBytes }).queueBytes)).toEqual([0, 0, 1])
  })

  it('keeps the logger, signal and function that it was given', () => {
    const given = { logger: console, signal: AbortSignal.timeout(60_000), onProgress: () => undefined }
    const resolved = resolve(given)
    for (const [name, value] of Object.entries(given)) expect(resolved[name as keyof typeof given]).toBe(value)
  })
})
