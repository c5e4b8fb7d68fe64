import { describe, expect, it } from 'vitest'
import { findMemoryCgroup, unreclaimableBytes, type ReadText } from '../../src/memory/memory-cgroup.js'

const MB = 1e6
const NO_LIMIT = '9223372036854771712\n'

/** A /proc and a /sys with only these files. */
function files(content: Record<string, string>): ReadText {
  return (file) => content[file]
}

const V1_MOUNT = '35 31 0:32 / /sys/fs/cgroup/memory rw,relatime shared:3 - cgroup cgroup rw,memory'
const V2_MOUNT = '31 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate'

describe('findMemoryCgroup', () => {
  it('finds nothing without /proc', () => {
    expect(findMemoryCgroup(files({}))).toBeUndefined()
  })

  it('finds nothing when no cgroup has a limit, in either version', () => {
    const v1 = files({
      '/proc/self/cgroup': '4:memory:/a\n0::/\n',
      '/proc/self/mountinfo': V1_MOUNT,
      '/sys/fs/cgroup/memory/a/memory.limit_in_bytes': NO_LIMIT,
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': NO_LIMIT,
    })
    const v2 = files({
      '/proc/self/cgroup': '0::/a\n',
      '/proc/self/mountinfo': V2_MOUNT,
      '/sys/fs/cgroup/a/memory.max': 'max\n',
      '/sys/fs/cgroup/a/memory.high': 'max\n',
    })
    expect(findMemoryCgroup(v1)).toBeUndefined()
    expect(findMemoryCgroup(v2)).toBeUndefined()
  })

  it('takes the limit of version 1, also from a controller that shares its mount', () => {
    const read = files({
      '/proc/self/cgroup': '9:cpuset,memory:/jobs/7\n0::/\n',
      '/proc/self/mountinfo': '35 31 0:32 / /sys/fs/cgroup/both rw - cgroup cgroup rw,cpuset,memory',
      '/sys/fs/cgroup/both/jobs/7/memory.limit_in_bytes': `${256 * MB}\n`,
      '/sys/fs/cgroup/both/memory.limit_in_bytes': NO_LIMIT,
    })
    expect(findMemoryCgroup(read)).toEqual({
      version: 1,
      directory: '/sys/fs/cgroup/both/jobs/7',
      limitBytes: 256 * MB,
    })
  })

  it('takes the smaller limit of a cgroup above', () => {
    const read = files({
      '/proc/self/cgroup': '0::/pod/container\n',
      '/proc/self/mountinfo': V2_MOUNT,
      '/sys/fs/cgroup/pod/container/memory.max': `${900 * MB}\n`,
      '/sys/fs/cgroup/pod/memory.max': `${400 * MB}\n`,
    })
    expect(findMemoryCgroup(read)).toEqual({ version: 2, directory: '/sys/fs/cgroup/pod', limitBytes: 400 * MB })
  })

  it('takes memory.high, above which the kernel slows a process down, as a limit', () => {
    const read = files({
      '/proc/self/cgroup': '0::/a\n',
      '/proc/self/mountinfo': V2_MOUNT,
      '/sys/fs/cgroup/a/memory.max': `${900 * MB}\n`,
      '/sys/fs/cgroup/a/memory.high': `${300 * MB}\n`,
    })
    expect(findMemoryCgroup(read)?.limitBytes).toBe(300 * MB)
  })

  it('reads the mount in a container whose mount is its cgroup', () => {
    const read = files({
      '/proc/self/cgroup': '4:memory:/docker/abc\n',
      '/proc/self/mountinfo': '35 31 0:32 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${512 * MB}\n`,
    })
    expect(findMemoryCgroup(read)).toMatchObject({ directory: '/sys/fs/cgroup/memory', limitBytes: 512 * MB })
  })

  it('reads the mount when the cgroup of the process is not visible', () => {
    const read = files({
      '/proc/self/cgroup': '0::/../outside\n',
      '/proc/self/mountinfo': V2_MOUNT,
      '/sys/fs/cgroup/memory.max': `${512 * MB}\n`,
    })
    expect(findMemoryCgroup(read)).toMatchObject({ directory: '/sys/fs/cgroup', limitBytes: 512 * MB })
  })

  it('takes the version that limits memory when both are mounted', () => {
    const read = files({
      '/proc/self/cgroup': '4:memory:/a\n0::/\n',
      '/proc/self/mountinfo': `${V1_MOUNT}\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw`,
      '/sys/fs/cgroup/memory/a/memory.limit_in_bytes': `${256 * MB}\n`,
    })
    expect(findMemoryCgroup(read)).toMatchObject({ version: 1, limitBytes: 256 * MB })
  })

  it('reads mount points with a space in them', () => {
    const read = files({
      '/proc/self/cgroup': '0::/\n',
      '/proc/self/mountinfo': '31 23 0:28 / /sys/fs/c\\040group rw - cgroup2 cgroup2 rw',
      '/sys/fs/c group/memory.max': `${512 * MB}\n`,
    })
    expect(findMemoryCgroup(read)?.limitBytes).toBe(512 * MB)
  })
})

describe('unreclaimableBytes', () => {
  it('leaves out the page cache, but not shared memory, in version 1', () => {
    const read = files({
      '/g/memory.usage_in_bytes': `${100 * MB}\n`,
      '/g/memory.stat': `cache 1\ntotal_cache ${70 * MB}\ntotal_shmem ${20 * MB}\n`,
    })
    expect(unreclaimableBytes({ version: 1, directory: '/g', limitBytes: 1 }, read)).toBe(50 * MB)
  })

  it('leaves out the page cache and reclaimable slabs in version 2', () => {
    const read = files({
      '/g/memory.current': `${100 * MB}\n`,
      '/g/memory.stat': `anon 5\nfile ${70 * MB}\nshmem ${20 * MB}\nslab_reclaimable ${10 * MB}\n`,
    })
    expect(unreclaimableBytes({ version: 2, directory: '/g', limitBytes: 1 }, read)).toBe(40 * MB)
  })

  it('is unknown when the files are gone', () => {
    expect(unreclaimableBytes({ version: 2, directory: '/g', limitBytes: 1 }, files({}))).toBeUndefined()
  })
})
