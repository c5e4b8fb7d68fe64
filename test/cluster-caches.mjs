/**
 * Builds over workers that each see the shared folder through a cache of their own, as clients of NFS do, kills one of
 * them, and compares the bytes with a local build's:
 *
 *     node test/cluster-caches.mjs FILE [--workers 3] [--cache-seconds 30] [--options JSON]
 *
 * `--options`: of buildIndex, as '{"quantization":"pq"}'. Each mount (bindfs, by FUSE) says for so long that a file is
 * there, or is not, or has a size, as it saw it first; contents are those of the time of opening. Needs `npm run build`,
 * root, and Debian's packages bindfs and redis-server. Exits with 1 when bytes differ or a build fails.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { freePort } from './cluster/kill/redis.mjs'
import { buildIndex, openVectorFile } from '../dist/bundle/lib/index.js'

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workers: { type: 'string', default: '3' },
    'cache-seconds': { type: 'string', default: '30' },
    options: { type: 'string', default: '{}' },
  },
})
const [input] = positionals
if (input === undefined) throw new Error('usage: node test/cluster-caches.mjs FILE [--workers N] [--options JSON]')
const program = fileURLToPath(new URL('../dist/bundle/lib/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'shardloom-caches-'))
const real = join(folder, 'real')
const children = []
const mounts = []

/** Resolves when the program has printed what matches; it ends with this one. */
async function start(command, args, pattern) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  child.log = ''
  children.push(child)
  for (const name of ['stdout', 'stderr']) child[name].on('data', (text) => (child.log += text))
  child.on('error', (error) => (child.log += error.message))
  child.ended = once(child, 'close').catch(() => undefined)
  while (!pattern.test(child.log)) {
    const ended = await Promise.race([child.ended, once(child.stdout, 'data'), once(child.stderr, 'data')])
    if (ended === undefined || child.exitCode !== null) throw new Error(`${command} did not start: ${child.log}`)
  }
  return child
}

function mount() {
  const at = join(folder, `host-${mounts.length}`)
  mkdirSync(at)
  const seconds = flags['cache-seconds']
  const times = ['attr', 'entry', 'negative'].map((what) => `${what}_timeout=${seconds}`)
  execFileSync('bindfs', ['--multithreaded', '-o', ['auto_cache', ...times].join(','), real, at])
  mounts.push(at)
  return at
}

async function build(path, options) {
  const file = await openVectorFile(input)
  try {
    return await buildIndex((startAt) => file.batches(startAt), {
      path,
      sourceFingerprint: await file.fingerprint(),
      count: file.count,
      ...JSON.parse(flags.options),
      ...options,
    })
  } finally {
    await file.close()
  }
}

function differences(one, other) {
  const [first, second] = [one, other].map((index) => {
    const [generation] = readFileSync(join(index, 'CURRENT'), 'utf8').split(' ')
    const names = readdirSync(join(index, generation)).filter((name) => name.endsWith('.seg'))
    return new Map(names.map((name) => [name, readFileSync(join(index, generation, name))]))
  })
  const names = [...new Set([...first.keys(), ...second.keys()])].sort()
  return names.filter((name) => !first.get(name)?.equals(second.get(name) ?? Buffer.alloc(0)))
}

try {
  mkdirSync(real)
  const port = await freePort()
  const quiet = ['--save', '', '--appendonly', 'no', '--dir', folder]
  await start('redis-server', ['--port', `${port}`, '--bind', '127.0.0.1', ...quiet], /Ready to accept connections/)
  await build(join(folder, 'local.index'), {})

  const connection = `redis://127.0.0.1:${port}`
  const workers = []
  for (let i = 0; i < Number(flags.workers); i++) {
    const args = [program, 'worker', '--cluster', connection, '--shared-dir', mount(), '--threads', '1']
    workers.push(await start(process.execPath, [...args, '--memory', '1GB'], /waits for builds/))
  }
  const sharedDir = mount()
  let killed = false
  const report = await build(join(sharedDir, 'cluster.index'), {
    cluster: { connection, sharedDir, lockSeconds: 3 },
    onProgress: ({ stage, done }) => {
      if (killed || stage !== 'shards' || done === 0) return
      killed = workers[0].kill('SIGKILL')
    },
  })
  for (const { kind, message } of report.events) console.log(`${kind}: ${message}`)
  for (const { host, tasks, lostTasks } of report.hosts) console.log(`${host}: ${tasks} tasks, ${lostTasks} lost`)
  const different = differences(join(folder, 'local.index'), join(real, 'cluster.index'))
  const worker = killed ? 'a worker was killed' : 'no worker was killed'
  console.log(`${report.seconds} s, ${worker}, ${different.length === 0 ? 'the same bytes' : `OTHER: ${different}`}`)
  process.exitCode = different.length === 0 ? 0 : 1
} finally {
  for (const child of children) child.kill(children.indexOf(child) === 0 ? 'SIGKILL' : 'SIGTERM')
  await Promise.all(children.map(({ ended }) => ended))
  for (const at of mounts) execFileSync('umount', ['-l', at])
  rmSync(folder, { recursive: true, force: true })
}
