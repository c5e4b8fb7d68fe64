/** Samples of `test/cluster-kill.mjs`: hosts, Redis and the coordinator die, stand still and forget at random moments. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { some } from '../whole.js'
import { MODES } from './kill/modes.mjs'
import { hasRedis, NO_REDIS } from './redis-server.js'

const PROGRAM = fileURLToPath(new URL('../cluster-kill.mjs', import.meta.url))

describe.skipIf(!hasRedis)(`a build on hosts${hasRedis ? '' : ` (skipped: ${NO_REDIS})`}`, () => {
  it.for(some(Object.keys(MODES), 99))(
    'has the same bytes, and leaves nothing, in mode %s',
    { timeout: 600_000 },
    async (mode) => {
      const child = spawn(process.execPath, [PROGRAM, mode, '--builds', '1'], { stdio: ['ignore', 'pipe', 'pipe'] })
      let output = ''
      for (const stream of [child.stdout, child.stderr])
        stream.on('data', (text: Buffer) => (output += text.toString()))
      const [code] = (await once(child, 'close')) as [number | null]
      expect(code, output).toBe(0)
      expect(output).toContain('0 of 1 builds wrong')
    },
  )
})
