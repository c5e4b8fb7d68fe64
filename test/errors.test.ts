import { describe, expect, it } from 'vitest'
import {
  AbortedError,
  CorruptIndexError,
  EXIT_CODES,
  FileFailedError,
  InvalidOptionError,
  NoAddressSpaceError,
  PathError,
  QueueClosedError,
  ShardloomError,
  SourceError,
  SpillFailedError,
  UnreachableNodesError,
} from '../src/errors.js'

describe('an error', () => {
  it.each([
    [new InvalidOptionError('m'), 'input', 2],
    [new PathError('/x', 'gone'), 'input', 2],
    [new NoAddressSpaceError(new RangeError('no')), 'resources', 3],
    [new CorruptIndexError('/x', 'damaged'), 'corrupt', 4],
    [new AbortedError(), 'interrupted', 130],
    [new UnreachableNodesError({ unreachable: 2, count: 9 }), 'failed', 1],
    [new FileFailedError('/x', new Error('EIO')), 'failed', 1],
    [new SpillFailedError('/x', 'write', new Error('EIO')), 'failed', 1],
    [new QueueClosedError('route', 'push'), 'failed', 1],
    [new ShardloomError('SHARDLOOM_ODD', 'odd'), 'failed', 1],
  ])('%s has the kind %s and the exit code %i', (error, kind, exitCode) => {
    expect(error).toBeInstanceOf(ShardloomError)
    expect([error.kind, error.exitCode]).toEqual([kind, exitCode])
    expect(EXIT_CODES[error.kind]).toBe(exitCode)
    expect(error.name).toBe(error.constructor.name)
  })

  it('of a source has the kind of its cause', () => {
    expect(new SourceError(3, new InvalidOptionError('bad')).kind).toBe('input')
    expect(new SourceError(3, new Error('socket closed'))).toMatchObject({ kind: 'failed', exitCode: 1 })
  })

  it('has its numbers and its reason in the message', () => {
    expect(new UnreachableNodesError({ unreachable: 2, count: 9 }).message).toBe(
      '2 of 9 nodes stay unreachable after repair; not published, the live generation is unchanged',
    )
    expect(new QueueClosedError('route', 'push').message).toBe('queue route is closed: cannot push')
    expect(new SpillFailedError('/x', 'write', new Error('EIO')).message).toBe('/x: cannot write: EIO')
  })
})
