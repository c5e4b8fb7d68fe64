import { describe, expect, it } from 'vitest'
import { BUILD_COMMAND_OPTIONS } from '../../src/options/build-options.js'
import { mergeOptions } from '../../src/options/config/merge-options.js'

describe('mergeOptions', () => {
  const settled = mergeOptions(BUILD_COMMAND_OPTIONS, [
    { from: 'flag', options: { m: 8, resume: true, memory: undefined } },
    { from: 'a file', options: { m: 32, resume: false, memory: '2GB', quiet: false } },
  ])

  it('takes flags before a file, and a file before defaults', () => {
    expect(settled.get('m')).toEqual({ value: 8, from: 'flag' })
    expect(settled.get('memory')).toEqual({ value: '2GB', from: 'a file' })
    expect(settled.get('seed')).toEqual({ value: 1, from: 'default' })
  })

  it('takes true and false as values', () => {
    expect(settled.get('resume')).toEqual({ value: true, from: 'flag' })
    expect(settled.get('quiet')).toEqual({ value: false, from: 'a file' })
  })

  it('describes a default that is not one value', () => {
    expect(settled.get('threads')).toEqual({ value: undefined, from: 'default', fallback: 'the cores' })
  })
})
