import { mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { checkFolders, queueName, writeMarker } from '../../../src/cluster/coordinator/shared-folder.js'
import { InvalidOptionError } from '../../../src/errors.js'
import { makeFolder } from '../../fixtures/tasks.js'

describe('the shared folder of a build', () => {
  it('names the queue by where the index is in it, wherever a host mounts it', () => {
    const name = queueName({ sharedDir: '/mnt/shared', indexDir: '/mnt/shared/a/b.index' })
    expect(name).toMatch(/^shardloom-[0-9a-f]{16}$/)
    expect(queueName({ sharedDir: '/data', indexDir: '/data/a/b.index' })).toBe(name)
    expect(queueName({ sharedDir: '/data', indexDir: '/data/a/c.index' })).not.toBe(name)
  })

  it('holds the index itself, not a link that leads out of it', async () => {
    const [sharedDir, elsewhere] = [join(makeFolder(), 'shared'), makeFolder()]
    mkdirSync(join(sharedDir, 'real', 'spill'), { recursive: true })
    symlinkSync(elsewhere, join(sharedDir, 'link'))
    const at = (name: string) => ({
      ...{ sharedDir, runSuffix: '', indexDir: join(sharedDir, name), spillDir: join(sharedDir, name) },
    })
    await checkFolders(at('real'))
    await expect(checkFolders(at('link'))).rejects.toThrow(InvalidOptionError)
    await expect(checkFolders(at('link'))).rejects.toThrow(elsewhere)
  })

  it('has a marker that no other folder has', async () => {
    const [first, second] = [makeFolder(), makeFolder()]
    const marker = await writeMarker(first, 'x/results')
    expect(marker).toEqual({ file: 'x/results/marker', text: readFileSync(join(first, 'marker'), 'utf8') })
    expect((await writeMarker(second, 'x/results')).text).not.toBe(marker.text)
  })
})
