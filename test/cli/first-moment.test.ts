/**
 * What a command does before its modules are loaded: a signal, and a limit on open files that lets none be loaded. And
 * when its terminal is closed.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'

const MAIN = fileURLToPath(new URL('../../dist/bundle/lib/main.js', import.meta.url))

describe.skipIf(process.platform === 'win32')('a signal while the command is loaded', () => {
  it.each([
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 130],
  ] as const)('%s ends it with the exit code of the table, %i, and one line', async (signal, expected) => {
    const child = spawn(
      process.execPath,
      ['--import', new URL('signal-while-loading.mjs', import.meta.url).href, MAIN, 'info', 'x', '--json'],
      { env: { ...process.env, SIGNAL_WHILE_LOADING: signal } },
    )
    let [stdout, stderr] = ['', '']
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    expect(await once(child, 'close')).toEqual([expected, null])
    expect(stderr).toBe(`error: ended by ${signal}\n`)
    expect(JSON.parse(stdout)).toEqual({ error: { code: 'SHARDLOOM_ABORTED', message: `ended by ${signal}` } })
  })
})

describe.runIf(process.platform === 'linux')('a limit on open files', () => {
  it.each([40, 64, 100])('of %i is said in one line that names the way out', (limit) => {
    const { status, stderr, stdout } = spawnSync(
      'sh',
      ['-c', `ulimit -n ${limit}; exec "$0" "$@"`, process.execPath, MAIN, 'info', 'x', '--json'],
      { encoding: 'utf8' },
    )
    expect(status).toBe(3)
    expect(stderr).toMatch(/^error: .*128 files, and this process may open \d+; raise .*\(ulimit -n 1024\).*\n$/)
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'SHARDLOOM_OPEN_FILES' } })
  })
})

/** A pseudo-terminal, from util-linux. */
const HAS_SCRIPT = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0

describe.runIf(HAS_SCRIPT)('a terminal that is closed', () => {
  it('ends a build in order, and its exit code is 129: Node 20 would abort', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'shardloom-hangup-'))
    const file = (name: string): string => join(folder, name)
    const text = (name: string): string => (existsSync(file(name)) ? readFileSync(file(name), 'utf8') : '')
    try {
      // Standard input is a pipe that never ends. The leader of the session ends with its terminal; what it started gets
      // SIGHUP then, and the inner shell stays to say how the command ended.
      const inner = [
        `trap '' HUP`,
        `mkfifo "${file('in')}"`,
        `exec 3<> "${file('in')}"`,
        `"${process.execPath}" "${MAIN}" build - --out "${file('an.index')}" <&3 2> "${file('said')}"`,
        `echo $? > "${file('code')}"`,
      ]
      writeFileSync(file('inner.sh'), inner.join('\n'))
      const terminal = spawn('script', ['-qec', `sh "${file('inner.sh')}"; true`, '/dev/null'], {
        stdio: ['pipe', 'ignore', 'ignore'],
      })
      await vi.waitUntil(() => text('said').includes('stage plan'), { timeout: 20_000 })
      terminal.kill('SIGKILL')
      await vi.waitUntil(() => text('code').endsWith('\n'), { timeout: 20_000 })
      expect(text('code')).toBe('129\n')
      expect(text('said')).toContain('SIGHUP: stopping and cleaning up')
      expect(existsSync(file('an.index'))).toBe(false)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
