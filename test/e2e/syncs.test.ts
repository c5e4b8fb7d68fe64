/** What a whole build syncs, and in which order: what must survive a power cut is on the device before it is named. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { makeFolder } from '../fixtures/builds.js'

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** The trace of one build: lines of an operation and a path, relative to `folder`. */
async function traceOf(scenario: string): Promise<{ lines: string[]; folder: string }> {
  const folder = join(makeFolder(), 'here')
  mkdirSync(folder)
  const trace = join(makeFolder(), 'trace.txt')
  const preload = ['--import', here('../format/count-file-operations.mjs')]
  const child = spawn(process.execPath, [...preload, here('../faults/sync-child.mjs'), scenario, folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, TRACE_FILE: trace },
  })
  expect((await once(child, 'exit'))[0]).toBe(0)
  const lines = readFileSync(trace, 'utf8').replaceAll(`${folder}/`, '').replaceAll(folder, '.').trimEnd().split('\n')
  return { lines: lines.slice(lines.lastIndexOf('build') + 1), folder }
}

const GENERATION = 'an.index/gen-000002'
const SWITCH = 'rename an.index/CURRENT'

/** Each published file was synced after its last write, and before CURRENT names it. */
function expectPublishedFilesSynced(lines: readonly string[], folder: string): string[] {
  const files = readdirSync(join(folder, GENERATION)).map((name) => `${GENERATION}/${name}`)
  for (const file of [...files, 'an.index/CURRENT.tmp']) {
    const synced = lines.lastIndexOf(`sync ${file}`)
    expect(synced, file).toBeGreaterThan(lines.lastIndexOf(`write ${file}`))
    expect(synced, file).toBeLessThan(lines.indexOf(SWITCH))
    expect(lines.lastIndexOf(`write ${file}`), file).toBeGreaterThan(-1)
  }
  return files
}

describe('a whole build', () => {
  it('of a plain iterable syncs every published file and folder once, nothing else, and switches then', async () => {
    const { lines, folder } = await traceOf('plain')
    const files = expectPublishedFilesSynced(lines, folder)
    expect(files).toHaveLength(6)
    const syncs = lines.filter((line) => line.startsWith('sync ')).map((line) => line.slice('sync '.length))
    // The folders: entries of the generation, the generation itself, the index itself, and the renamed CURRENT.
    const folders = [GENERATION, 'an.index', '.', 'an.index']
    expect([...syncs].sort()).toEqual([...files, ...folders, 'an.index/CURRENT.tmp'].sort())
    expect(lines.indexOf(`sync ${GENERATION}`)).toBeGreaterThan(lines.lastIndexOf(`sync ${GENERATION}/manifest.json`))
    expect(lines.lastIndexOf('sync an.index')).toBeGreaterThan(lines.indexOf(SWITCH))
  })

  it('that can be resumed syncs what its journal names before it syncs the journal', async () => {
    const { lines, folder } = await traceOf('resumable')
    expectPublishedFilesSynced(lines, folder)
    const journal = 'an.index/build/journal'
    const noted = new Set<string>()
    const due = new Set<string>()
    let journalSyncs = 0
    let dueFiles = 0
    for (const line of lines) {
      const [what, ...paths] = line.split(' ')
      const path = paths[0]?.replace(/\/$/, '')
      if (what === 'note') for (const file of paths) noted.add(file)
      if (what === 'round') {
        for (const file of noted) due.add(file)
        dueFiles += noted.size
        noted.clear()
      }
      if (what === 'sync') due.delete(path)
      if (line === `syncing ${journal}`) expect([...due]).toEqual([])
      if (line === `sync ${journal}`) journalSyncs++
    }
    expect(journalSyncs).toBeGreaterThan(2)
    expect(dueFiles).toBeGreaterThan(4)
  })
})
