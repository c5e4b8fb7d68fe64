/** Runs a reader in a process with a memory limit: allocating 2 GB for a number in a header fails there. */
import { spawn, spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const CHILD = fileURLToPath(new URL('read-child.mjs', import.meta.url))

/** Counts private writable memory, touched or not; Node.js alone takes 50 MB of it. */
const CAP_BYTES = 350e6
/** No case takes a tenth of this. */
const HANG_MS = 60_000

export const canCap = spawnSync('prlimit', ['--version']).status === 0

export interface Read {
  readonly rows: number
  readonly failure: { readonly name: string; readonly code: string; readonly message: string } | undefined
}

export type Reader = 'vectors' | 'ivecs' | 'spill' | 'journal'

/** The result of `reader` for the file at `path`. Rejects when the process dies or does not end. */
export async function readCapped(reader: Reader, path: string, ids?: string): Promise<Read> {
  const args = [`--data=${CAP_BYTES}`, process.execPath, '--max-old-space-size=200', CHILD, reader, path]
  const child = spawn('prlimit', ids === undefined ? args : [...args, ids], { stdio: ['ignore', 'pipe', 'pipe'] })
  const timer = setTimeout(() => child.kill('SIGKILL'), HANG_MS)
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (text: Buffer) => (stdout += text.toString()))
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()))
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (...ended) => resolve(ended))
  })
  clearTimeout(timer)
  if (code !== 0) throw new Error(`the reader ended with ${code ?? signal}: ${stderr}`)
  return JSON.parse(stdout) as Read
}
