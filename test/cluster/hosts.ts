/** Worker processes for the tests of a file: real ones, by the command line. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { CLI } from '../examples/run.js'

const running = new Set<ChildProcess>()

// A test run that ends early leaves no host behind.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface Host {
  /** What it said, on both streams. */
  readonly output: () => string
  /** As by an orchestrator: SIGTERM. Resolves with its exit code. */
  stop(): Promise<number | null>
}

/** `shardloom worker` with one thread. It ends by `stop`, or with the test run. */
export function startHost({ url, sharedDir }: { readonly url: string; readonly sharedDir: string }): Host {
  const args = ['worker', '--cluster', url, '--shared-dir', sharedDir, '--threads', '1', '--memory', '400MB']
  const child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  child.once('exit', () => running.delete(child))
  let output = ''
  const read = (chunk: Buffer): void => void (output += chunk.toString())
  child.stdout.on('data', read)
  child.stderr.on('data', read)
  return {
    output: () => output,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
      return child.exitCode
    },
  }
}
