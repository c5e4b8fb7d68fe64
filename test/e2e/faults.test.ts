/** A sample of the builds that meet a fault; `node test/faults.mjs` makes them all. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { WHOLE } from '../whole.js'

/** The operations around the switch of CURRENT: what goes wrong there decides which generation is live. */
const AROUND_THE_SWITCH = [
  'plain: EIO at main rename an.index/CURRENT',
  'plain: EIO at main sync an.index (',
  'plain: EIO at main readdir an.index (2)',
  'resumable: EIO at main access an.index',
  'resumable: EIO at main rm an.index/build/journal',
  'resumable: short at main write an.index/build/journal (2)',
]

it.runIf(WHOLE)(
  'a build that meets a fault ends in a right index or a typed error, and leaves what was live',
  async () => {
    const program = fileURLToPath(new URL('../faults.mjs', import.meta.url))
    const always = AROUND_THE_SWITCH.flatMap((name) => ['--always', name])
    const child = spawn(process.execPath, [program, '--each', '3', '--every', '149', ...always], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => (output += text.toString()))
    const [code] = (await once(child, 'close')) as [number | null]
    expect(code, output).toBe(0)
    const [, cases, hit, wrong] = /(\d+) of \d+ cases, (\d+) faults hit at .*; (\d+) wrong/.exec(output) ?? []
    expect(Number(wrong)).toBe(0)
    expect(Number(cases)).toBeGreaterThan(20)
    // All but a few: the last operations of a site may be fewer when threads interleave in another way.
    expect(Number(hit)).toBeGreaterThan(0.8 * Number(cases))
  },
  300_000,
)
