/**
 * The library, as tests of local builds import it, with a `buildIndex` whose tasks run on the hosts of
 * SHARDLOOM_TEST_CLUSTER. A build that leaves the shared folder stays on this machine; each is counted in a file.
 */
import { appendFileSync } from 'node:fs'
import { isAbsolute, relative, resolve } from 'node:path'
import { buildIndex as buildHere } from '../../../dist/src/index.js'

export * from '../../../dist/src/index.js'

const { SHARDLOOM_TEST_CLUSTER: url, SHARDLOOM_TEST_SHARED_DIR: sharedDir, SHARDLOOM_TEST_COUNTS: counts } = process.env

function isShared(folder) {
  if (typeof folder !== 'string') return false
  const inside = relative(sharedDir, resolve(folder))
  return inside !== '' && !inside.startsWith('..') && !isAbsolute(inside)
}

export async function buildIndex(source, options) {
  const { path, tempDir = path, cluster } = options ?? {}
  if (cluster !== undefined || !isShared(path) || !isShared(tempDir)) {
    appendFileSync(counts, 'here\n')
    return buildHere(source, options)
  }
  appendFileSync(counts, 'begun\n')
  const report = await buildHere(source, { ...options, cluster: { connection: url, sharedDir } })
  const tasks = (report.hosts ?? []).reduce((sum, host) => sum + host.tasks, 0)
  if (tasks === 0 && report.resumed === undefined) throw new Error(`no host ran a task of this build: ${path}`)
  appendFileSync(counts, `tasks ${tasks}\n`)
  return report
}
