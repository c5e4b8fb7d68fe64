import { closeSync, openSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { OpenFilesError } from '../../src/errors.js'
import { checkOpenFiles, openFilesLimit } from '../../src/memory/open-files.js'

describe.runIf(process.platform === 'linux')('checkOpenFiles', () => {
  it('refuses what the limit leaves no room for, with the numbers and the way out', () => {
    expect(openFilesLimit()).toBeGreaterThan(16)
    expect(() => checkOpenFiles('a build', 10, 10)).toThrow(OpenFilesError)
    expect(() => checkOpenFiles('a build', 5000, 4000)).toThrow(
      /needs 5000 files, and .* may open 4000 .*ulimit -n 8192/,
    )
    expect(() => checkOpenFiles('a build', 10, 1e6)).not.toThrow()
  })

  it('counts the files that are open', () => {
    const openNow = (): number => {
      try {
        checkOpenFiles('it', 1e6, 1e6)
      } catch (error) {
        return (error as OpenFilesError).details.open
      }
      throw new Error('a million files besides those that are open were too few')
    }
    const before = openNow()
    const more = Array.from({ length: 20 }, () => openSync('/dev/null', 'r'))
    expect(openNow() - before).toBeGreaterThanOrEqual(15)
    for (const file of more) closeSync(file)
  })
})
