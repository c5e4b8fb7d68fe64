import { readFileSync } from 'node:fs'
import path from 'node:path'

/** The memory cgroup with the smallest limit: the cgroup of this process, or one above it. */
export interface MemoryCgroup {
  readonly version: 1 | 2
  readonly directory: string
  readonly limitBytes: number
}

/** Reads a small file of /proc or /sys as text; undefined when it does not exist or may not be read. */
export type ReadText = (file: string) => string | undefined

/** File names of versions 1 and 2. In version 2 a process above `memory.high` is slowed to a halt. */
const LIMIT_FILES = { 1: ['memory.limit_in_bytes'], 2: ['memory.max', 'memory.high'] } as const
const USAGE_FILE = { 1: 'memory.usage_in_bytes', 2: 'memory.current' } as const
/** Version 1 says "no limit" with the largest multiple of a page below 2^63. */
const NO_LIMIT_BYTES = 2 ** 60

export const readText: ReadText = (file) => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    // Not Linux, no such cgroup, or no permission: then nothing is known.
    return undefined
  }
}

/** Undefined when no cgroup limits the memory of this process, or there are no cgroups. */
export function findMemoryCgroup(read: ReadText = readText): MemoryCgroup | undefined {
  const memberships = read('/proc/self/cgroup')
  const mounts = read('/proc/self/mountinfo')
  if (memberships === undefined || mounts === undefined) return undefined
  let smallest: MemoryCgroup | undefined
  for (const { version, mountPoint, directory } of hierarchies(memberships, mounts)) {
    for (const at of upwards(directory, mountPoint)) {
      const limitBytes = limitOf(version, at, read)
      if (limitBytes < (smallest?.limitBytes ?? NO_LIMIT_BYTES)) smallest = { version, directory: at, limitBytes }
    }
  }
  return smallest
}

/**
 * Bytes charged to the cgroup that the kernel cannot reclaim under pressure: shared memory and files on tmpfs count,
 * the page cache does not. Undefined when the cgroup's files cannot be read.
 */
export function unreclaimableBytes(group: MemoryCgroup, read: ReadText = readText): number | undefined {
  const usage = Number(read(path.join(group.directory, USAGE_FILE[group.version])) ?? Number.NaN)
  const stat = read(path.join(group.directory, 'memory.stat'))
  if (!Number.isFinite(usage) || stat === undefined) return undefined
  const field = (name: string): number => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(stat)?.[1] ?? 0)
  const reclaimable =
    group.version === 1
      ? field('total_cache') - field('total_shmem')
      : field('file') - field('shmem') + field('slab_reclaimable')
  return Math.max(0, usage - reclaimable)
}

interface Hierarchy {
  readonly version: 1 | 2
  readonly mountPoint: string
  /** Directory of the process's cgroup. */
  readonly directory: string
}

/** A system may have both: version 1 with the memory controller, and version 2 without it. */
function hierarchies(memberships: string, mounts: string): Hierarchy[] {
  const found: Hierarchy[] = []
  for (const line of mounts.split('\n')) {
    // id parent major:minor root mount-point options [optional fields] - type source super-options
    const [left, right] = line.split(' - ')
    if (right === undefined) continue
    const [, , , root = '/', mountPoint = '/'] = left.split(' ').map(unescapeOctal)
    const [type, , options = ''] = right.split(' ')
    const version = type === 'cgroup2' ? 2 : type === 'cgroup' && options.split(',').includes('memory') ? 1 : undefined
    const own = version === undefined ? undefined : membership(memberships, version)
    if (version === undefined || own === undefined) continue
    // In a container the mount's root may be the container's cgroup: the cgroups above it are not visible.
    const relative = path.posix.relative(root, own)
    const directory = relative.startsWith('..') ? mountPoint : path.posix.join(mountPoint, relative)
    found.push({ version, mountPoint, directory })
  }
  return found
}

/** The process's path in the hierarchy, from lines of `number:controllers:path`; version 2 lists no controllers. */
function membership(memberships: string, version: 1 | 2): string | undefined {
  for (const line of memberships.split('\n')) {
    const [, controllers, own] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
    if (own === undefined) continue
    if (version === 2 ? controllers === '' : controllers.split(',').includes('memory')) return own
  }
  return undefined
}

/** Decodes spaces and backslashes, which mount points have as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}

/** The directory and its parents, up to the mount point. */
function upwards(directory: string, mountPoint: string): string[] {
  const found = [directory]
  for (let at = directory; at !== mountPoint && at.length > mountPoint.length;) {
    at = path.posix.dirname(at)
    found.push(at)
  }
  return found
}

function limitOf(version: 1 | 2, directory: string, read: ReadText): number {
  // 'max' becomes NaN.
  const limits = LIMIT_FILES[version].map((name) => Number.parseInt(read(path.join(directory, name)) ?? '', 10))
  return Math.min(...limits.map((limit) => (Number.isFinite(limit) ? limit : Number.POSITIVE_INFINITY)))
}
