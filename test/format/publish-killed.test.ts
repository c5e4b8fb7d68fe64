/** Kills publishing before each of its file operations, and checks the order in which bytes reach the device. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { acquireLock } from '../../src/format/generation/lock.js'
import { publishGeneration } from '../../src/format/generation/publish-generation.js'
import { readManifest } from '../../src/format/generation/read-manifest.js'
import { verifyIndex } from '../../src/format/verify/verify-index.js'
import { openIndex } from '../../src/live/open-index.js'
import { temporaryFolder, writeTinyGeneration, writeTinyIndex } from '../fixtures/index-files.js'
import { WHOLE } from '../whole.js'

const folder = temporaryFolder()
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** An index with a live generation, and a second one that is complete but not published. */
async function prepared(name: string): Promise<{ indexDir: string; manifestFile: string }> {
  const indexDir = folder.path(name)
  await writeTinyIndex(indexDir)
  const { manifest } = await writeTinyGeneration(indexDir)
  const manifestFile = folder.path(`${name}.json`)
  await writeFile(manifestFile, JSON.stringify(manifest))
  return { indexDir, manifestFile }
}

async function publishIn(indexDir: string, manifestFile: string, env: NodeJS.ProcessEnv): Promise<'killed' | 'done'> {
  const args = ['--import', here('count-file-operations.mjs'), here('publish-child.mjs'), indexDir, manifestFile]
  const child = spawn(process.execPath, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ...env },
  })
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  if (signal === 'SIGKILL') return 'killed'
  expect(code).toBe(0)
  return 'done'
}

describe('a publish killed before any of its file operations', () => {
  it('or in a write leaves one whole generation live, and the next one can be published', async () => {
    const { indexDir: model, manifestFile } = await prepared('model')
    const live = new Set<string>()
    for (let killAt = 1; ; killAt += WHOLE ? 1 : 6) {
      const indexDir = folder.path(`killed-${killAt}`)
      await cp(model, indexDir, { recursive: true })
      const reader = await openIndex(indexDir)
      const answer = reader.search([1, 2, 3])
      const ended = await publishIn(indexDir, manifestFile, { KILL_AT: `${killAt}`, KILL_TORN: '1' })
      const { manifest } = await readManifest(indexDir)
      live.add(manifest.generation)
      const { problems } = await verifyIndex(indexDir)
      expect(problems, `killed before operation ${killAt}`).toEqual([])
      expect((await openIndex(indexDir)).search([1, 2, 3])).toEqual(answer)
      // A reader of the old generation, whose files may be deleted by now.
      expect(reader.search([1, 2, 3])).toEqual(answer)
      if (ended === 'done') {
        expect(killAt).toBeGreaterThan(30)
        expect((await readdir(indexDir)).sort()).toEqual(['CURRENT', 'gen-000002'])
        break
      }
      // The lock of the killed process is stale.
      const lock = await acquireLock(indexDir)
      const next = await writeTinyGeneration(indexDir)
      await publishGeneration(indexDir, next.manifest.generation, next.manifest, { keepGenerations: 0 })
      await lock.release()
      expect((await verifyIndex(indexDir)).problems).toEqual([])
      expect((await readdir(indexDir)).sort()).toEqual(['CURRENT', next.manifest.generation])
    }
    expect([...live].sort()).toEqual(['gen-000001', 'gen-000002'])
  })
})

describe('publishing syncs', () => {
  it('data, then the manifest, then folders, then CURRENT.tmp, and the index folder after the rename', async () => {
    const { indexDir, manifestFile } = await prepared('synced')
    const trace = folder.path('trace.txt')
    expect(await publishIn(indexDir, manifestFile, { TRACE_FILE: trace })).toBe('done')
    const lines = (await readFile(trace, 'utf8')).trimEnd().split('\n')
    const generation = join(indexDir, 'gen-000002')
    const order = [
      `write ${join(generation, 'upper.seg')}`,
      `sync ${join(generation, 'upper.seg')}`,
      `write ${join(generation, 'manifest.json')}`,
      `sync ${join(generation, 'manifest.json')}`,
      `sync ${generation}`,
      `sync ${indexDir}`,
      `sync ${dirname(indexDir)}`,
      `write ${join(indexDir, 'CURRENT.tmp')}`,
      `sync ${join(indexDir, 'CURRENT.tmp')}`,
      `rename ${join(indexDir, 'CURRENT')}`,
      `sync ${indexDir}`,
      `rm ${join(indexDir, 'gen-000001', 'manifest.json')}`,
    ]
    const seen = lines.filter((line) => order.includes(line))
    // The footer is written after header and data: only writes after the sync would be wrong.
    const once = seen.filter((line, at) => line !== seen[at + 1])
    expect(once).toEqual(order)
    expect(lines.filter((line) => line.startsWith('sync ')).length).toBe(7)
  })
})
