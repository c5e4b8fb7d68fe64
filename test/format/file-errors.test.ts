import { mkdir, writeFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { CorruptIndexError, DiskFullError, PathError, ShardloomError } from '../../src/errors.js'
import { createSegment } from '../../src/format/segment/write-segment.js'
import { readFailure, writeFailure } from '../../src/format/bytes/file-errors.js'
import { vectorsHeader } from '../../src/format/segment/segment-header.js'
import { writeDurably } from '../../src/format/bytes/write-durably.js'
import { outcome, temporaryFolder } from '../fixtures/index-files.js'

const folder = temporaryFolder()
const systemError = (code: string): Error => Object.assign(new Error(code), { code })
const header = vectorsHeader({ firstNode: 0, count: 1, dimensions: 1 })

describe('a failed write', () => {
  it('is DiskFullError with needed and free bytes when the disk is full', () => {
    for (const code of ['ENOSPC', 'EDQUOT']) {
      const cause = systemError(code)
      const error = writeFailure(folder.path('new', 'file'), 123, cause)
      expect(error).toBeInstanceOf(DiskFullError)
      expect(error).toMatchObject({ cause, details: { neededBytes: 123 } })
    }
    const inFolder = writeFailure(folder.path('file'), 1, systemError('ENOSPC'))
    expect(inFolder).toMatchObject({ details: { freeBytes: expect.any(Number) as number } })
  })

  it.runIf(process.platform === 'linux')('is DiskFullError when the device is full', async () => {
    expect(await outcome(writeDurably('/dev/full', new Uint8Array(10)))).toBeInstanceOf(DiskFullError)
  })

  it('is PathError, with its cause, when the path cannot be written', async () => {
    for (const code of ['EACCES', 'EPERM', 'EROFS', 'ENOTDIR']) {
      const cause = systemError(code)
      const error = writeFailure('there', 1, cause)
      expect(error).toBeInstanceOf(PathError)
      expect(error).toMatchObject({ cause, path: 'there' })
    }
    await mkdir(folder.path('folder.seg'))
    await writeFile(folder.path('file'), '')
    for (const path of ['folder.seg', 'file/below.seg', 'absent/below.seg']) {
      expect(await outcome(createSegment(folder.path(path), header)), path).toBeInstanceOf(PathError)
    }
  })

  it('is SHARDLOOM_FILE_FAILED, with its cause, for any other system error', () => {
    for (const code of ['EIO', 'EMFILE', 'EBUSY']) {
      const cause = systemError(code)
      const error = writeFailure('there', 1, cause)
      expect(error).toBeInstanceOf(ShardloomError)
      expect(error).toMatchObject({ code: 'SHARDLOOM_FILE_FAILED', cause })
    }
  })

  it('is returned unchanged when it is typed already, or not a system error', () => {
    const typed = new PathError('here', 'is not ours')
    expect(writeFailure('there', 1, typed)).toBe(typed)
    expect(writeFailure('there', 1, 'text')).toBe('text')
  })
})

describe('a failed read of an index file', () => {
  it('is CorruptIndexError when the file is gone or the disk fails, PathError without permission to read', () => {
    for (const code of ['ENOENT', 'EIO']) expect(readFailure('x', systemError(code))).toBeInstanceOf(CorruptIndexError)
    for (const code of ['EACCES', 'EMFILE']) expect(readFailure('x', systemError(code))).toBeInstanceOf(PathError)
    const bug = new TypeError('bug')
    expect(readFailure('x', bug)).toBe(bug)
  })
})
