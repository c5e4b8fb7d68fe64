/** What a command does before its modules are loaded: a signal, and a limit on open files that lets none be loaded. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const MAIN = fileURLToPath(new URL('../../dist/src/cli/main.js', import.meta.url))

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
