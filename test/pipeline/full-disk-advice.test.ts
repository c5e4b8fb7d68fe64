import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { DiskFullError } from '../../src/errors.js'
import { withFullDiskAdvice } from '../../src/pipeline/run/full-disk-advice.js'

const here = mkdtempSync(join(tmpdir(), 'shardloom-advice-'))
afterAll(() => rmSync(here, { recursive: true, force: true }))
/** On another disk than temporary files, where the system has one. */
const ELSEWHERE = '/dev/shm'

const cause = new Error('ENOSPC')
const full = (path: string): DiskFullError => new DiskFullError({ path, neededBytes: 10, freeBytes: 5 }, cause)

describe('a full disk in a build', () => {
  it('names tempDir when temporary files are on that disk', async () => {
    for (const tempDir of [undefined, here]) {
      const path = join(here, 'an.index')
      const said = await withFullDiskAdvice(full(join(path, 'gen-000001', 'links-000.seg')), { path: here, tempDir })
      expect((said as DiskFullError).message).toContain('point tempDir (--temp-dir)')
      expect(said).toMatchObject({ cause })
    }
  })

  it.runIf(existsSync(ELSEWHERE))(
    'does not when they are elsewhere already, unless it is they that fill it',
    async () => {
      const options = { path: here, tempDir: ELSEWHERE }
      const said = await withFullDiskAdvice(full(join(here, 'gen-000001', 'links-000.seg')), options)
      expect((said as DiskFullError).message).toContain(`temporary files are in ${ELSEWHERE} already`)
      expect((said as DiskFullError).message).not.toContain('--temp-dir')
      const temporary = await withFullDiskAdvice(full(join(ELSEWHERE, 'shardloom-0', 'ids-000000.spill')), options)
      expect((temporary as DiskFullError).message).toContain('point tempDir (--temp-dir) at a larger disk')
    },
  )

  it('outside of a build is not told of an option that it does not have', () => {
    expect(full('/x').message).not.toContain('tempDir')
  })

  it('leaves other errors as they are', async () => {
    expect(await withFullDiskAdvice(cause, { path: here, tempDir: undefined })).toBe(cause)
  })
})
