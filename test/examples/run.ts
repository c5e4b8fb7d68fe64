import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'

export const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url))
export const CLI = path.join(REPOSITORY, 'dist/bundle/lib/main.js')

/** Node.js from 22.18 on runs TypeScript by itself; before that tsx does. */
const { typescript: stripsTypes } = process.features as { typescript?: string | false }
export const TYPESCRIPT = stripsTypes === 'strip' ? [] : ['--import', import.meta.resolve('tsx')]

export interface Ended {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
}

/** Runs a command to its end. Standard input is empty. */
export async function run(command: string, args: readonly string[], { cwd, env }: RunOptions): Promise<Ended> {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }))
  })
}

export function runTypeScript(file: string, args: readonly string[], options: RunOptions): Promise<Ended> {
  return run(process.execPath, [...TYPESCRIPT, file, ...args], options)
}

/**
 * A folder of a project that has shardloom installed and examples/data at hand, for the tests of one file: `npx` in it
 * runs the command line of this repository.
 */
export function projectFolder(): {
  readonly path: string
  readonly env: NodeJS.ProcessEnv
  file(name: string): string
} {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'shardloom-examples-'))
    await mkdir(path.join(folder, 'node_modules'))
    await mkdir(path.join(folder, 'bin'))
    await symlink(REPOSITORY, path.join(folder, 'node_modules/shardloom'))
    await symlink(path.join(REPOSITORY, 'examples'), path.join(folder, 'examples'))
    await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }\n')
    await writeFile(path.join(folder, 'bin/npx'), `#!/bin/sh\nshift\nexec '${process.execPath}' '${CLI}' "$@"\n`, {
      mode: 0o755,
    })
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  return {
    get path() {
      return folder
    },
    get env() {
      return { PATH: `${path.join(folder, 'bin')}${path.delimiter}${process.env['PATH'] ?? ''}` }
    },
    file: (name) => path.join(folder, name),
  }
}
