/** More threads than cores: compilers and collectors of the engine then run at other moments of a build. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { examplePath, makeFolder } from '../fixtures/builds.js'
import { WHOLE } from '../whole.js'

const CHILD = fileURLToPath(new URL('build-again-child.mjs', import.meta.url))
const PROCESSES = 4
const BUILDS = 3

// Without src/runtime/interned.ts, 7 of 40 such builds differed on Node.js 20. The first build of a process never did.
it.runIf(WHOLE)(
  `${PROCESSES} processes at once, each building ${BUILDS} times, give the same bytes every time`,
  async () => {
    const folder = makeFolder()
    const outputs = await Promise.all(
      Array.from({ length: PROCESSES }, (_, i) =>
        promisify(execFile)(process.execPath, [
          CHILD,
          examplePath('sift10k_base.bvecs'),
          join(folder, `${i}`),
          `${BUILDS}`,
        ]),
      ),
    )
    const sums = outputs.flatMap(({ stdout }) => stdout.trim().split('\n'))
    expect(sums).toHaveLength(PROCESSES * BUILDS)
    expect(new Set(sums).size).toBe(1)
  },
)
