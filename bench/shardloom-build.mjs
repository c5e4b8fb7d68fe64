// Shardloom as a user runs it: its command line, in a process of its own.
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../dist/bundle/lib/main.js', import.meta.url))
const REPORT_USAGE = new URL('report-usage.mjs', import.meta.url).href

/**
 * Builds `base` into the folder `out`. @param flags { metric, m, threads, engine, memory }; those undefined are left out.
 * @returns { whole: seconds of the process, cpu: seconds of its threads, peakRssBytes, report: the BuildReport }
 */
export async function buildWithShardloom(base, out, flags) {
  const usageFile = `${out}.usage`
  const given = Object.entries(flags).filter(([, value]) => value !== undefined)
  const words = given.flatMap(([name, value]) => [`--${name}`, String(value)])
  const start = performance.now()
  const child = spawn(
    process.execPath,
    ['--import', REPORT_USAGE, MAIN, 'build', base, '--out', out, ...words, '--json', '--quiet'],
    { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, USAGE_FILE: usageFile } },
  )
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (part) => (text += part))
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve))
  const whole = (performance.now() - start) / 1000
  if (code !== 0) throw new Error(`shardloom build ended with exit code ${code}: ${text}`)
  const usage = JSON.parse(readFileSync(usageFile, 'utf8'))
  rmSync(usageFile)
  return { whole, ...usage, report: JSON.parse(text) }
}
