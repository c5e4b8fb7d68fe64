import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CorruptSpillError, ShardloomError } from '../../../src/errors.js'
import { SharedPaths } from '../../../src/cluster/files/shared-paths.js'
import { makeFolder } from '../../fixtures/tasks.js'

describe('a path in the shared folder', () => {
  it('is the same file on a host that mounts the folder elsewhere', async () => {
    const [here, there] = [makeFolder(), makeFolder()]
    const relative = new SharedPaths(here).relative(join(here, 'a', 'b c.bin'))
    expect(relative).toBe('a/b c.bin')
    expect(await new SharedPaths(there).resolve('a/b c.bin')).toBe(join(there, 'a', 'b c.bin'))
  })

  it('comes back, whatever it is', async () => {
    const folder = makeFolder()
    const paths = new SharedPaths(folder)
    const part = fc.stringMatching(/^[^/\\:\0]{1,12}$/).filter((text) => text !== '.' && text !== '..')
    await fc.assert(
      fc.asyncProperty(fc.array(part, { minLength: 1, maxLength: 4 }), async (parts) => {
        const file = join(folder, ...parts)
        expect(await paths.resolve(paths.relative(file) ?? '')).toBe(file)
      }),
      { numRuns: 100 },
    )
  })

  it('may be of a file that does not exist yet, in a folder that does not', async () => {
    const folder = makeFolder()
    expect(await new SharedPaths(folder).resolve('not/there/yet')).toBe(join(folder, 'not/there/yet'))
  })

  it('may be a link to a file inside', async () => {
    const folder = makeFolder()
    writeFileSync(join(folder, 'file'), '')
    symlinkSync(join(folder, 'file'), join(folder, 'link'))
    expect(await new SharedPaths(folder).resolve('link')).toBe(join(folder, 'link'))
  })

  it('is found in a folder that is a link itself', async () => {
    const folder = makeFolder()
    mkdirSync(join(folder, 'real', 'index'), { recursive: true })
    symlinkSync(join(folder, 'real'), join(folder, 'mount'))
    const paths = new SharedPaths(join(folder, 'mount'))
    expect(await paths.resolve('index/a')).toBe(join(folder, 'mount', 'index', 'a'))
  })
})

describe('no path in the shared folder', () => {
  it.each(['relative', '/elsewhere', '', 'a/b'])('is made of %j', (text) => {
    expect(new SharedPaths('/shared').relative(text)).toBeUndefined()
  })

  it.each(['/shared', '/shared/', '/sharedmore/a', '/shared/../etc/passwd'])('is made of %s', (text) => {
    expect(new SharedPaths('/shared').relative(text)).toBeUndefined()
  })

  it.each(['', '/', '/etc/passwd', '..', 'a/../../b', 'a/..', './a', 'a//b', 'a/', 'a\0b', '.'])(
    'is %j of a job',
    async (relative) => {
      await expect(new SharedPaths(makeFolder()).resolve(relative)).rejects.toThrow(CorruptSpillError)
    },
  )

  it.each([
    ['a file that is a link out', 'out', 'out'],
    ['a file behind a link out', 'out', 'out/file'],
    ['a file that is not there, behind a link out', 'out', 'out/new/file'],
  ])('is %s', async (_, link, relative) => {
    const [folder, outside] = [makeFolder(), makeFolder()]
    writeFileSync(join(outside, 'file'), '')
    symlinkSync(outside, join(folder, link))
    await expect(new SharedPaths(folder).resolve(relative)).rejects.toThrow('out of the shared folder')
  })

  it.each(['nothing', 'nothing/file', 'nothing/more/file'])('is %s behind a link to nothing', async (relative) => {
    const folder = makeFolder()
    symlinkSync(join(folder, '..', 'not-there-at-all'), join(folder, 'nothing'))
    await expect(new SharedPaths(folder).resolve(relative)).rejects.toThrow('link to nothing')
  })

  it('is in a shared folder that is not there', async () => {
    const paths = new SharedPaths(join(makeFolder(), 'not-mounted'))
    await expect(paths.resolve('a')).rejects.toThrow(ShardloomError)
  })
})
