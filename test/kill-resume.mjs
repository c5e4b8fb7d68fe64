/**
 * Kills builds at random moments with SIGKILL, runs the same command again, and compares the bytes with an undisturbed
 * build's:
 *
 *     node test/kill-resume.mjs FILE [KILLS] [build flags…]        for example: vectors.bvecs 20 --memory 300MB
 *
 * Needs `npm run build`. Exits with 1 when an index differs, a build fails, or a file is left over.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clearTimeout, setTimeout } from 'node:timers'
import { fileURLToPath } from 'node:url'

const [input, kills = '4', ...flags] = process.argv.slice(2)
if (input === undefined) throw new Error('usage: node test/kill-resume.mjs FILE [KILLS] [build flags…]')
const program = fileURLToPath(new URL('../dist/bundle/lib/main.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'shardloom-kill-'))

/** Runs a build; with `killAfterMs` it may be killed. */
function build(index, killAfterMs) {
  const args = [program, 'build', input, '--out', index, '--json', ...flags]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr']) child[name].on('data', (text) => (output[name] += text))
  const timer = killAfterMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfterMs)
  return new Promise((resolve) => {
    child.on('close', (code, signal) => {
      clearTimeout(timer)
      resolve({ code, signal, ...output })
    })
  })
}

function segmentsOf(index, { generation }) {
  const names = readdirSync(join(index, generation)).filter((name) => name.endsWith('.seg'))
  const hash = (name) =>
    createHash('sha256')
      .update(readFileSync(join(index, generation, name)))
      .digest('hex')
  return names
    .sort()
    .map((name) => `${name} ${hash(name)}`)
    .join('\n')
}

function finished({ code, stdout, stderr }) {
  if (code !== 0) throw new Error(`a build ended with ${code}: ${stderr}`)
  return JSON.parse(stdout)
}

try {
  const whole = join(folder, 'whole.index')
  const started = performance.now()
  const expected = segmentsOf(whole, finished(await build(whole)))
  const buildMs = performance.now() - started
  let wrong = 0
  for (let kill = 1; kill <= Number(kills); kill++) {
    const index = join(folder, 'killed.index')
    const afterMs = Math.round(Math.random() * buildMs)
    const first = await build(index, afterMs)
    const second = first.signal === null ? first : await build(index)
    const report = finished(second)
    const same = segmentsOf(index, report) === expected
    const left = readdirSync(index).filter((name) => !['CURRENT', report.generation].includes(name))
    if (!same || left.length > 0) wrong++
    const { vectors = 0, shards = 0, segments = 0 } = report.resumed ?? {}
    console.log(
      `${kill}: ${first.signal === null ? 'not killed' : `killed after ${afterMs} ms`}, taken over ${vectors} vectors, ` +
        `${shards} shards, ${segments} segments; ${report.seconds} s; ${same ? 'the same bytes' : 'OTHER BYTES'}` +
        (left.length > 0 ? `; left over: ${left.join(', ')}` : ''),
    )
    rmSync(index, { recursive: true, force: true })
  }
  console.log(`${wrong} of ${kills} wrong; an undisturbed build takes ${Math.round(buildMs)} ms`)
  process.exitCode = wrong === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
