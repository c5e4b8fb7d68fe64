/** Which folders a build may use: files that are not a build's are neither deleted nor replaced, whatever their names. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { PathError } from '../../src/errors.js'
import { claimFolder } from '../../src/pipeline/run/claim-folder.js'
import { encodeEntry } from '../../src/pipeline/resume/journal.js'
import { writeTinyGeneration, writeTinyIndex } from '../fixtures/index-files.js'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'shardloom-claim-'))
})
afterAll(() => rm(root, { recursive: true, force: true }))

let made = 0
type Planted = string | [name: string, text: string]

/** A folder with these files; a name that ends with / is an empty folder. */
async function holding(...names: readonly Planted[]): Promise<string> {
  const folder = join(root, String(made++))
  await mkdir(folder)
  for (const entry of names) {
    const [name, text] = typeof entry === 'string' ? [entry, 'theirs'] : entry
    await mkdir(name.endsWith('/') ? join(folder, name) : dirname(join(folder, name)), { recursive: true })
    if (!name.endsWith('/')) await writeFile(join(folder, name), text)
  }
  return folder
}

const journal = encodeEntry({
  kind: 'begin',
  format: 1,
  version: '0.1.0',
  options: '{}',
  source: '',
  generation: 'gen-000001',
  tempDir: '',
  startedAt: '2026-01-01T00:00:00.000Z',
})
const lock = JSON.stringify({ pid: 1, host: 'h', since: 'now', processStart: null, token: 't' })

describe('a folder that a build may use', () => {
  it('does not exist yet', () => claimFolder(join(root, 'not', 'there'), false))

  it.each<[string, Planted[]]>([
    ['is empty', []],
    ['holds hidden files', ['.gitkeep', '.git/config']],
    ['is a new disk', ['lost+found/']],
    ['has a lock without text, of a build that starts', [['build/LOCK', '']]],
    ['has a lock', [['build/LOCK', lock], 'gen-000001/']],
    ['has the journal of an interrupted build', [['build/journal', journal], 'notes.txt']],
    ['has spill files of a killed build', [['build/spill/ingest-000000.spill', '']]],
    ['has an empty generation', ['gen-000001/']],
    ['has a live generation, and other files', [['CURRENT', 'gen-000001 0123abcd\n'], 'README.md']],
  ])('%s', async (_, names) => {
    await claimFolder(await holding(...names), false)
  })

  it('is an index whose CURRENT is damaged or missing', async () => {
    const { indexDir } = await writeTinyIndex(join(root, 'damaged.index'))
    await writeFile(join(indexDir, 'CURRENT'), 'gen-0000')
    await claimFolder(indexDir, false)
    await rm(join(indexDir, 'CURRENT'))
    await claimFolder(indexDir, false)
    await claimFolder((await writeTinyGeneration(join(root, 'unpublished.index'))).indexDir, false)
  })
})

describe('a folder of other files', () => {
  it.each<[string, Planted[]]>([
    ['of any name', ['a.txt', 'b.txt', 'c.txt', 'd.txt']],
    ['in folders named as generations', ['gen-000001/notes.txt', 'gen-000002/vectors-000.seg']],
    ['in a folder named as that of a build', ['build/app.js']],
  ])('%s is refused with the way out, and taken with force', async (_, names) => {
    const folder = await holding(...names)
    const refused = claimFolder(folder, false)
    await expect(refused).rejects.toThrow(PathError)
    await expect(refused).rejects.toThrow('--force (force: true)')
    await claimFolder(folder, true)
  })

  it.each<[string, string]>([
    ['CURRENT', 'CURRENT'],
    ['CURRENT.tmp', 'CURRENT.tmp'],
    ['build/journal', join('build', 'journal')],
    ['build/spill/photo.jpg', join('build', 'spill')],
  ])('with a %s, which a build would replace, is refused with force too', async (name, named) => {
    const folder = await holding(name)
    await expect(claimFolder(folder, true)).rejects.toThrow(`${join(folder, named)}: no build wrote this`)
    expect(await readFile(join(folder, name), 'utf8')).toBe('theirs')
  })

  it('names three of them', async () => {
    const folder = await holding('a', 'b', 'c', 'd', 'e')
    const names = (await readdir(folder)).slice(0, 3).join(', ')
    await expect(claimFolder(folder, false)).rejects.toThrow(`it holds ${names}, and 2 more; name`)
  })
})
