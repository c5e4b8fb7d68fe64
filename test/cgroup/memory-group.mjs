/**
 * Runs a command in a memory cgroup of its own, version 1 or 2, so that its kernel limits it as a container's does.
 * Needs root, and a memory controller that can be written.
 */
import { spawn } from 'node:child_process'
import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const V1 = '/sys/fs/cgroup/memory'
const V2 = '/sys/fs/cgroup'
let made = 0

/** Why no group can be made here; undefined when one can. */
export function whyNoGroups() {
  try {
    rmdirSync(makeGroup(2 ** 30).directory)
    return undefined
  } catch (error) {
    return `no memory cgroup can be made here: ${error.message}`
  }
}

/** An empty group with this limit, swap off where that can be said. `remove` once no process is in it. */
export function makeGroup(limitBytes, parent) {
  const version = existsSync(join(V1, 'memory.limit_in_bytes')) ? 1 : 2
  const root = parent ?? (version === 1 ? V1 : V2)
  if (version === 2 && parent === undefined) accessSync(join(root, 'cgroup.subtree_control'), constants.W_OK)
  const directory = join(root, `shardloom-test-${process.pid}-${made++}`)
  if (version === 2) writeFileSync(join(root, 'cgroup.subtree_control'), '+memory')
  mkdirSync(directory)
  try {
    writeFileSync(join(directory, version === 1 ? 'memory.limit_in_bytes' : 'memory.max'), String(limitBytes))
  } catch (error) {
    rmdirSync(directory)
    throw error
  }
  const noSwap = join(directory, version === 1 ? 'memory.memsw.limit_in_bytes' : 'memory.swap.max')
  if (existsSync(noSwap)) writeFileSync(noSwap, version === 1 ? String(limitBytes) : '0')
  return {
    directory,
    /** Times that the kernel killed a process of the group. */
    kills: () => {
      const text = readFileSync(join(directory, version === 1 ? 'memory.oom_control' : 'memory.events'), 'utf8')
      return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0)
    },
    /** A group that a process has just left may be busy for a moment. */
    remove: async () => {
      for (let tries = 0; ; tries++) {
        try {
          rmdirSync(directory)
          return
        } catch (error) {
          if (error.code !== 'EBUSY' || tries === 50) throw error
          await sleep(20)
        }
      }
    },
  }
}

/** Runs `node ...args` in the group. @returns exit code, signal, output, and the highest RSS the kernel saw, in bytes. */
export function runInGroup(group, args) {
  // The shell joins the group and becomes node: nothing of it is ever outside. GNU time is not everywhere, so node tells itself.
  const tellPeak = `data:text/javascript,process.on('exit',()=>console.error('peak-rss-kb',process.resourceUsage().maxRSS))`
  const script = 'echo $$ > "$1/cgroup.procs" && shift && exec "$@"'
  const child = spawn('sh', ['-c', script, 'sh', group.directory, process.execPath, '--import', tellPeak, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name].on('data', (text) => (output[name] += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const peaks = [...output.stderr.matchAll(/^peak-rss-kb (\d+)$/gm)].map(([, kb]) => 1024 * Number(kb))
      const stderr = output.stderr.replace(/^peak-rss-kb \d+\n/gm, '')
      resolve({ code, signal, stdout: output.stdout, stderr, peakRssBytes: Math.max(0, ...peaks) })
    })
  })
}
