/** Samples of `test/live-kill.mjs` and `test/live-faults.mjs`, which kill a writer and make each file operation fail. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { WHOLE } from '../whole.js'

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

async function run(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()))
  const [code] = (await once(child, 'close')) as [number | null]
  expect(code, output).toBe(0)
  return output
}

const KILLS = WHOLE ? 200 : 5

it('a killed writer leaves all that was acknowledged, and of each other change all or nothing', async () => {
  const output = await run([here('../live-kill.mjs'), `${KILLS}`])
  expect(output).toContain(`0 of ${KILLS} kills wrong`)
}, 1_800_000)

it('a writer that meets a fault ends its calls rightly or in a typed error, goes on, and loses nothing acknowledged', async () => {
  const sample = WHOLE ? ['--each', '2', '--every', '3'] : ['--each', '1', '--every', '37']
  const output = await run(['--import', here('../faults/inject-faults.mjs'), here('../live-faults.mjs'), ...sample])
  const [, cases, hit, wrong] = /(\d+) of \d+ cases, (\d+) faults hit; (\d+) wrong/.exec(output) ?? []
  expect(Number(wrong)).toBe(0)
  expect(Number(cases)).toBeGreaterThan(15)
  expect(Number(hit)).toBeGreaterThan(0.8 * Number(cases))
}, 1_800_000)
