import type * as v from 'valibot'
import { describe, expect, it, vi } from 'vitest'
import { buildSummary } from '../../src/cli/print/build-summary.js'
import { describeFailure } from '../../src/cli/failure.js'
import { flagParser } from '../../src/cli/flags/option-flags.js'
import { recallOf } from '../../src/cli/files/ground-truth.js'
import { interruptible } from '../../src/cli/interruptible.js'
import { optionFacts } from '../../src/options/option-facts.js'
import {
  choice,
  integer,
  integers,
  name,
  numberFrom,
  option,
  share,
  size,
  sizeOrZero,
} from '../../src/options/option-values.js'
import { percentile } from '../../src/search/measure/percentile.js'
import { countText, rateText, tookText, waitText } from '../../src/report/number-text.js'
import { progressText, verifyProgressText } from '../../src/cli/print/progress-text.js'
import { shellWord } from '../../src/report/shell-word.js'
import { tableLines } from '../../src/cli/print/table-lines.js'
import { Terminal } from '../../src/cli/screen/terminal.js'
import { AbortedError, DiskFullError, InvalidOptionError } from '../../src/errors.js'
import type { BuildReport } from '../../src/api/report.js'
import { fullReport, HOSTS } from '../fixtures/reports.js'
import type { ProgressEvent } from '../../src/api/build.js'

describe('progressText', () => {
  const event: ProgressEvent = {
    stage: 'route',
    done: 123_456,
    total: 1_000_000,
    unit: 'vectors',
    rate: 20_000.4,
    etaSeconds: 43.8,
    elapsedSeconds: 9,
    rssBytes: 812e6,
    budgetBytes: 2e9,
    spilledBytes: 1.5e9,
    pressure: 'normal',
  }

  it('says stage, done of total, rate, ETA, RSS of the budget, and what was spilled', () => {
    expect(progressText(event)).toBe(
      'route  123,456/1,000,000 vectors  12%  20,000/s  ETA 44 s  RSS 812 MB/2.00 GB  spilled 1.50 GB',
    )
  })

  it('leaves out what is unknown for an open stream', () => {
    expect(progressText({ ...event, stage: 'ingest', total: undefined, etaSeconds: undefined, spilledBytes: 0 })).toBe(
      'ingest  123,456 vectors  20,000/s  RSS 812 MB/2.00 GB',
    )
  })

  it('counts hosts and their tasks in a build on many machines', () => {
    const hosts = [
      { host: 'a', running: 4, done: 9 },
      { host: 'b', running: 1, done: 0 },
    ]
    const few = { ...event, spilledBytes: 0, etaSeconds: undefined }
    expect(progressText({ ...few, hosts })).toMatch(/ {2}2 hosts with 5 tasks$/)
    expect(progressText({ ...few, hosts: [] })).toMatch(/ {2}no host$/)
  })

  it('names only the stage and the memory while nothing is counted', () => {
    expect(progressText({ ...event, stage: 'prove', done: 0, total: undefined, unit: '', spilledBytes: 0 })).toBe(
      'prove  RSS 812 MB/2.00 GB',
    )
  })

  it('has no ETA when all is done', () => {
    expect(progressText({ ...event, done: 1_000_000, etaSeconds: 0, spilledBytes: 0 })).toBe(
      'route  1,000,000/1,000,000 vectors  100%  20,000/s  RSS 812 MB/2.00 GB',
    )
  })

  it('counts bytes while verifying', () => {
    expect(verifyProgressText({ name: 'links-000.seg', bytesChecked: 5e6, totalBytes: 20e6 })).toBe(
      'verify  links-000.seg  5.00 MB/20.0 MB  25%',
    )
  })
})

describe('numbers', () => {
  it('have separated thousands', () => {
    expect([0, 999, 1000, 1234567].map(countText)).toEqual(['0', '999', '1,000', '1,234,567'])
  })

  it('are rates with two digits at least', () => {
    expect([0.42, 4.2, 42.4, 12345.6].map(rateText)).toEqual(['0.42/s', '4.2/s', '42/s', '12,346/s'])
  })

  it('are durations in the units people use', () => {
    expect([0.4, 59.4, 59.6, 3599, 11_520].map(waitText)).toEqual([
      '0 s',
      '59 s',
      '1 min 0 s',
      '59 min 59 s',
      '3 h 12 min',
    ])
    expect([0.123, 12.34, 59.99, 125].map(tookText)).toEqual(['0.12 s', '12.3 s', '1 min 0 s', '2 min 5 s'])
  })

  it('stand in columns', () => {
    expect(
      tableLines(
        [
          ['a', '1'],
          ['bbb', '22'],
        ],
        [1],
      ),
    ).toEqual(['a     1', 'bbb  22'])
    expect(tableLines([])).toEqual([])
  })

  it('are percentiles by nearest rank', () => {
    const values = Float64Array.from({ length: 100 }, (_, i) => i + 1)
    expect([percentile(values, 0.5), percentile(values, 0.99), percentile(values, 1)]).toEqual([50, 99, 100])
    expect(percentile(Float64Array.of(7), 0.5)).toBe(7)
  })
})

describe('flag values', () => {
  /** Reads a value as the flag --x of an option with this schema. */
  const parser = (schema: v.GenericSchema): ((text: string) => unknown) => {
    const [facts] = optionFacts({ x: option(schema, 'x', { value: 'X' }) })
    return flagParser(facts, '--x')
  }

  it('are integers written in digits', () => {
    const parse = parser(integer(0, 64))
    expect([parse('0'), parse('64'), parse('007')]).toEqual([0, 64, 7])
    for (const text of ['', ' 1', '1 ', '-1', '+1', '1.5', '1e-1', '0x10', '65', 'NaN', '_4', '4_', '1__0', '٣']) {
      expect(() => parse(text)).toThrow(
        new InvalidOptionError(`--x must be an integer from 0 to 64, got ${JSON.stringify(text)}`),
      )
    }
  })

  it('are integers as programs write them', () => {
    const parse = parser(integer(0, 10_000_000))
    expect(['1000000', '1e6', '1E6', '1_000_000', '1.5e6', '2.0'].map(parse)).toEqual([1e6, 1e6, 1e6, 1e6, 1.5e6, 2])
    for (const text of ['1e8', '1e999', '1.5', '1,000']) expect(() => parse(text)).toThrow(InvalidOptionError)
  })

  it('are lists of integers', () => {
    const parse = parser(integers(1, 64))
    expect([parse('5'), parse('16,32'), parse('1e1,6_0')]).toEqual([[5], [16, 32], [10, 60]])
    for (const text of ['', '1,', '0', '1, 2', '65']) {
      expect(() => parse(text)).toThrow(/--x must be a list of integers from 1 to 64, got/)
    }
  })

  it('are fractions from 0 to 1', () => {
    const parse = parser(numberFrom(0, 1))
    expect([parse('0'), parse('0.95'), parse('.5'), parse('1')]).toEqual([0, 0.95, 0.5, 1])
    for (const text of ['', '1.01', '-0', '95%', '1e', '0.'])
      expect(() => parse(text)).toThrow(/--x must be a number from 0 to 1, got/)
    expect(() => parser(share())('0')).toThrow('--x must be a number above 0 and up to 1, got "0"')
  })

  it('are one of some names, exactly', () => {
    const parse = parser(choice(['one', 'two']))
    expect(parse('two')).toBe('two')
    expect(() => parse('Two')).toThrow('--x must be one of one, two, got "Two"')
  })

  it('are sizes, or 0', () => {
    expect([parser(sizeOrZero())('0'), parser(sizeOrZero())('2MB')]).toEqual(['0', '2MB'])
    expect(() => parser(sizeOrZero())('-1')).toThrow(/^--x must be 0 or a size such as/)
    expect(() => parser(size())('0')).toThrow(/^--x must be a size such as/)
  })

  it('are not the next flag', () => {
    const parse = parser(name('a path'))
    expect(parse('./--json')).toBe('./--json')
    expect(() => parse('--json')).toThrow('--x must be followed by a value, got "--json"')
    expect(() => parse('')).toThrow('--x must be followed by a value, got ""')
  })
})

describe('words for a shell', () => {
  it('are quoted only when they must be', () => {
    expect(['a/b-1.index', "it's here", '$HOME', ''].map(shellWord)).toEqual([
      'a/b-1.index',
      `'it'\\''s here'`,
      `'$HOME'`,
      `''`,
    ])
  })
})

describe('recallOf', () => {
  it('is the share of exact neighbours found, ids compared as text', () => {
    const truth = {
      depth: 2,
      idAt: (query: number, nearest: number) =>
        [
          ['1', '2'],
          ['3', '4'],
        ][query][nearest],
    }
    const hit = (id: number) => ({ id, distance: 0 })
    expect(
      recallOf(
        [
          [hit(1), hit(2)],
          [hit(4), hit(9)],
        ],
        truth,
        2,
      ),
    ).toBe(0.75)
  })
})

describe('describeFailure', () => {
  it('takes code and exit code from our own errors', () => {
    const error = new DiskFullError({ path: '/tmp/x', neededBytes: 10, freeBytes: 5 })
    expect(describeFailure(error, [], {})).toMatchObject({ code: 'SHARDLOOM_DISK_FULL', exitCode: 3 })
  })

  it('shows where an unexpected error happened only when asked', () => {
    const error = new TypeError('x is not a function')
    const plain = {
      code: 'SHARDLOOM_UNEXPECTED',
      message: 'unexpected: x is not a function (--verbose shows where)',
      exitCode: 1,
    }
    expect(describeFailure(error, ['build'], {})).toEqual(plain)
    expect(describeFailure(error, ['build', '--', '--verbose'], {})).toEqual(plain)
    expect(describeFailure(error, ['build', '--verbose'], {})).toMatchObject({ stack: error.stack })
    expect(describeFailure(error, ['build'], { DEBUG: '*' })).toMatchObject({ stack: error.stack })
  })
})

describe('buildSummary', () => {
  it('names what was skipped, repaired, spilled and warned of', () => {
    const report: BuildReport = {
      count: 1_000_000,
      skipped: 3,
      skippedInvalid: 2,
      skippedDuplicates: 1,
      dimensions: 768,
      metric: 'cosine',
      engine: 'hnswlib-wasm',
      quantization: 'sq8',
      quality: 'high',
      trialRecall: 0.9512,
      m: 16,
      seed: 1,
      threads: 4,
      memoryBytes: 2e9,
      shards: 100,
      splitShards: 0,
      seconds: 500,
      workers: { busySeconds: 2, tileSeconds: 1 },
      stages: [],
      peakRssBytes: 1.9e9,
      memory: { pressure: { elevated: 0, high: 0, critical: 0, ingestPauses: 0 }, timeline: [] },
      spilledBytes: 3e9,
      diskBytes: 3.3e9,
      reachable: 1_000_000,
      repaired: 7,
      recallAt10: 0.98765,
      recallInterval: { low: 0.98012, high: 0.9923 },
      selfRecall: 0.995,
      averageDegree: 24,
      generation: 'gen-000002',
      path: '/data/my index',
      events: [{ kind: 'memory', stage: 'plan', message: 'less memory', atSeconds: 0 }],
    }
    expect(buildSummary(report, 'my index')).toEqual([
      'vectors       1,000,000 (skipped: 2 invalid, 1 with a repeated id)',
      'dimensions    768, cosine',
      'time          8 min 20 s, 2,000 vectors/s',
      'quality       high (its trial on sampled vectors found 0.951)',
      'quantization  sq8',
      'recall@10     0.9877, good (ef 64, against exact search, 95% interval 0.980 to 0.992)',
      'self-recall   0.9950 (ef 64, sampled vectors that find themselves)',
      'reachable     1,000,000 of 1,000,000 (7 repaired)',
      'on disk       3.30 GB',
      'peak memory   1.90 GB of 2.00 GB',
      'spilled       3.00 GB',
      'index         my index (gen-000002)',
      'notes         1 warning, above',
      '',
      `next: shardloom search 'my index' --queries FILE -k 10`,
    ])
  })

  it('counts the hosts of a build on many machines, lost tasks and refused hosts', () => {
    const row = (hosts: BuildReport['hosts']): string | undefined =>
      buildSummary(fullReport({ hosts }), 'an.index').find((line) => line.startsWith('hosts'))
    expect(row(HOSTS)).toBe('hosts        2 hosts, 1,600 tasks, 2 lost, 1 host refused')
    expect(row([HOSTS[1]])).toBe('hosts        1 host, 400 tasks')
    expect(row(undefined)).toBeUndefined()
  })
})

/** An output that remembers what was written. */
function recorder(facts: { isTTY?: boolean; columns?: number } = {}) {
  const written: string[] = []
  const listeners: ((error: Error) => void)[] = []
  const output = {
    ...facts,
    write: (text: string, done?: () => void) => {
      if (text !== '') written.push(text)
      done?.()
      return true
    },
    on: (_: 'error', listener: (error: Error) => void) => {
      listeners.push(listener)
      return output
    },
  }
  return {
    output: output as unknown as ConstructorParameters<typeof Terminal>[0],
    written,
    fail: (error: Error) => listeners.forEach((listener) => listener(error)),
  }
}

describe('Terminal', () => {
  it('rewrites one line on a screen, cut to its width, and clears it before anything that stays', () => {
    const [stdout, stderr] = [recorder(), recorder({ isTTY: true, columns: 10 })]
    const terminal = new Terminal(stdout.output, stderr.output, {})
    terminal.status('0123456789abc')
    terminal.log('stays')
    terminal.print('result')
    expect(stderr.written.join('')).toBe('\r\u001B[K012345678\r\u001B[Kstays\n')
    expect(stdout.written.join('')).toBe('result\n')
  })

  it('rewrites nothing where stderr is not a screen, or a dumb one', () => {
    for (const [facts, env] of [
      [{}, {}],
      [{ isTTY: true }, { TERM: 'dumb' }],
    ] as const) {
      const stderr = recorder(facts)
      new Terminal(recorder().output, stderr.output, env).status('progress')
      expect(stderr.written).toEqual([])
    }
  })

  it('fails for a write error, but not for a reader that left', async () => {
    const stdout = recorder()
    const terminal = new Terminal(stdout.output, recorder().output, {})
    stdout.fail(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    expect(await terminal.close()).toBeUndefined()
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })
    stdout.fail(full)
    expect(await terminal.close()).toBe(full)
  })

  it('stops only logging when the reader of stderr has left', () => {
    const stderr = recorder()
    const terminal = new Terminal(recorder().output, stderr.output, {})
    stderr.fail(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    terminal.log('unheard')
    expect(stderr.written).toEqual([])
  })
})

describe('interruptible', () => {
  const quiet = (): Terminal => new Terminal(recorder().output, recorder().output, {})

  it('aborts on the first signal and ends the process on the second', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never)
    try {
      const reason = await interruptible(quiet(), async (signal) => {
        process.emit('SIGINT')
        expect(exit).not.toHaveBeenCalled()
        expect(signal.aborted).toBe(true)
        process.emit('SIGTERM')
        return exit.mock.calls
      })
      expect(reason).toEqual([[130]])
    } finally {
      exit.mockRestore()
    }
  })

  it('removes its listeners, and reports an error that the abort caused as an interruption', async () => {
    const before = process.listenerCount('SIGINT')
    const failing = interruptible(quiet(), async () => {
      process.emit('SIGINT')
      throw new Error('socket closed')
    })
    await expect(failing).rejects.toBeInstanceOf(AbortedError)
    await expect(interruptible(quiet(), async () => Promise.reject(new Error('own')))).rejects.toThrow('own')
    expect(process.listenerCount('SIGINT')).toBe(before)
  })
})
