import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { buildIndex } from '../../dist/src/index.js'
import { compareIndexes } from '../../examples/cluster/same-bytes.js'
import { hasRedis, NO_REDIS } from '../cluster/redis-server.js'
import { projectFolder, REPOSITORY, runTypeScript } from './run.js'

const PROGRAM = path.join(REPOSITORY, 'examples/cluster/run.ts')

/** Whether a process is there; one that ended and was not waited for is not. */
function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

describe('examples/cluster', () => {
  const project = projectFolder()

  it.skipIf(!hasRedis)(
    `makes the same bytes as a local build, though a worker is killed${hasRedis ? '' : `: skipped, ${NO_REDIS}`}`,
    async () => {
      const temporary = project.file('temporary')
      await mkdir(temporary)
      const ended = await runTypeScript(PROGRAM, [], { cwd: project.path, env: { TMPDIR: temporary } })
      expect(ended).toMatchObject({ exitCode: 0, stderr: '' })
      expect(ended.stdout).toMatch(/ worker \d +killed with SIGKILL/)
      expect(ended.stdout.match(/ host +\S+: \d+ tasks/g)).toHaveLength(2)
      expect(ended.stdout).toMatch(/ killed +\S+: \d+ tasks/)
      expect(ended.stdout).toMatch(/ bytes +those of the local build: \d+ files/)

      const processes = [...ended.stdout.matchAll(/process (\d+)$/gm)].map(([, pid]) => Number(pid))
      expect(processes).toHaveLength(4)
      expect(processes.filter(isRunning)).toEqual([])
      expect((await readdir(temporary)).filter((name) => name.startsWith('shardloom'))).toEqual([])
    },
  )

  it('says what to install when there is no redis-server', async () => {
    const ended = await runTypeScript(PROGRAM, [], { cwd: project.path, env: { PATH: project.path } })
    expect(ended.exitCode).toBe(1)
    expect(ended.stderr).toContain('redis-server cannot be started: install it, as by apt-get install redis-server')
  })

  it('sees a byte that differs, and a file that is missing', async () => {
    const [one, other] = [project.file('one.index'), project.file('other.index')]
    const points = Array.from({ length: 300 }, (_, i) => ({ id: i, vector: [i, i % 7] }))
    const { generation } = await buildIndex(points, { path: one })
    await cp(one, other, { recursive: true })
    const same = await compareIndexes(one, other)
    expect(same.different).toEqual([])
    expect(same.bytes).toBeGreaterThan(300 * 8)

    const [first, second] = (await readdir(path.join(other, generation))).filter((name) => name.endsWith('.seg')).sort()
    const bytes = await readFile(path.join(other, generation, first))
    bytes[bytes.length - 1] ^= 1
    await writeFile(path.join(other, generation, first), bytes)
    await cp(path.join(other, generation, second), path.join(other, generation, 'links-999.seg'))
    expect((await compareIndexes(one, other)).different).toEqual([first, 'links-999.seg'].sort())
  })
})
