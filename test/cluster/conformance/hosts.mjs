/** Before the suite: a Redis and two workers that see the folder of all tests. After it: what ran there. */
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startWorker } from '../kill/processes.mjs'
import { OwnRedis, whyNoRedis } from '../kill/redis.mjs'

const WORKERS = 2

export default async function setup() {
  const noRedis = whyNoRedis()
  if (noRedis !== undefined) throw new Error(noRedis)
  const home = mkdtempSync(join(tmpdir(), 'shardloom-conformance-'))
  const counts = join(home, 'counts.txt')
  writeFileSync(counts, '')
  const redis = await OwnRedis.start(join(home, 'redis'))
  const { url } = redis
  const sharedDir = realpathSync(tmpdir())
  // Workers are not over the cluster themselves.
  const workers = Array.from({ length: WORKERS }, () =>
    startWorker({ url, sharedDir, memory: '1GB', flags: ['--quiet'] }),
  )
  Object.assign(process.env, {
    SHARDLOOM_TEST_CLUSTER: url,
    SHARDLOOM_TEST_SHARED_DIR: sharedDir,
    SHARDLOOM_TEST_COUNTS: counts,
    // The command line has a seam of its own.
    SHARDLOOM_CLUSTER: url,
    SHARDLOOM_SHARED_DIR: sharedDir,
    NODE_OPTIONS: `--import ${fileURLToPath(new URL('redirect.mjs', import.meta.url))}`,
  })
  return async () => {
    const lines = readFileSync(counts, 'utf8').split('\n')
    const ended = lines.filter((line) => line.startsWith('tasks '))
    const tasks = ended.reduce((sum, line) => sum + Number(line.slice('tasks '.length)), 0)
    const here = lines.filter((line) => line === 'here').length
    const dead = workers.filter(({ isRunning }) => !isRunning)
    for (const worker of workers) worker.signal('SIGTERM')
    const ends = await Promise.all(workers.map(({ ended: end }) => end))
    await redis.kill()
    rmSync(home, { recursive: true, force: true })
    console.log(`${ended.length} builds of the library went over the cluster, in ${tasks} tasks; ${here} stayed here`)
    for (const { errors } of dead) console.log(`a worker ended too early: ${errors.slice(-2000)}`)
    if (dead.length > 0 || ends.some(({ code }) => code !== 0)) throw new Error('a worker did not end in order')
  }
}
