/** Runs the built command line in a separate process, and makes inputs for it. */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../dist/bundle/lib/main.js', import.meta.url))

export interface Ended {
  readonly exitCode: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>
  /** Resolves when stderr holds the text; rejects when the process ends without. */
  saidOnStderr(text: string): Promise<void>
  readonly ended: Promise<Ended>
}

/** `stdin`: text and end of file; undefined leaves it open. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string): Running {
  if (!existsSync(MAIN)) throw new Error('dist/ is missing: npm run build')
  const child = spawn(process.execPath, [MAIN, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, DEBUG: '', ...env },
    ...(cwd !== undefined && { cwd }),
  })
  let [stdout, stderr] = ['', '']
  const heard = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
    for (const check of heard) check()
  })
  // The process may end before it has read what it was given.
  child.stdin.on('error', () => undefined)
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exitCode) => resolve({ exitCode, stdout, stderr }))
  })
  const saidOnStderr = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (stderr.includes(text)) resolve()
      }
      heard.add(check)
      check()
      ended.then(() => reject(new Error(`the process ended without saying ${JSON.stringify(text)}: ${stderr}`)), reject)
    })
  return { child, saidOnStderr, ended }
}

export async function shardloom(
  args: readonly string[],
  options: { stdin?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  const { child, ended } = start(args, options.env, options.cwd)
  child.stdin.end(options.stdin ?? '')
  return ended
}

/** The one JSON object that stdout must be. */
export function onlyJson(stdout: string): Record<string, unknown> {
  if (!/^\{[^\n]*\}\n$/.test(stdout)) throw new Error(`expected one line of JSON, got ${JSON.stringify(stdout)}`)
  return JSON.parse(stdout) as Record<string, unknown>
}

/** Repeatable numbers in [0, 1). */
export function randomRows(count: number, dimensions: number, seed = 1): Float32Array[] {
  let state = seed
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
  return Array.from({ length: count }, () => Float32Array.from({ length: dimensions }, next))
}

export async function writeFvecs(path: string, rows: readonly Float32Array[]): Promise<void> {
  await writeVecs(path, rows, (bytes, value, at) => bytes.writeFloatLE(value, at))
}

export async function writeIvecs(path: string, rows: readonly (readonly number[])[]): Promise<void> {
  await writeVecs(path, rows, (bytes, value, at) => bytes.writeInt32LE(value, at))
}

async function writeVecs(
  path: string,
  rows: readonly ArrayLike<number>[],
  write: (bytes: Buffer, value: number, at: number) => void,
): Promise<void> {
  const bytes = Buffer.alloc(rows.reduce((sum, row) => sum + 4 + 4 * row.length, 0))
  let at = 0
  for (const row of rows) {
    at = bytes.writeInt32LE(row.length, at)
    for (let i = 0; i < row.length; i++, at += 4) write(bytes, row[i], at)
  }
  await writeFile(path, bytes)
}

/** The rows nearest to each query by squared l2, nearest first. */
export function exactNeighbours(
  rows: readonly Float32Array[],
  queries: readonly Float32Array[],
  k: number,
): number[][] {
  return queries.map((query) => {
    const distances = rows.map((row) => row.reduce((sum, value, i) => sum + (value - query[i]) ** 2, 0))
    return [...distances.keys()].sort((a, b) => distances[a] - distances[b] || a - b).slice(0, k)
  })
}
