// npm run build: the kernels, dist and the bundle in it, side by side. Skips what is built already; prints a line for
// every step.
//   node scripts/build.mjs [kernel | ts]
import { buildDist } from './build-dist.mjs'
import { buildBundle } from './build-bundle.mjs'
import { buildKernel, KERNELS } from './build-kernel.mjs'
import { copyFiles } from './copy-files.mjs'

const [only] = process.argv.slice(2)

/** Prints how the step ended and how long it took. */
async function step(name, run) {
  const started = performance.now()
  let ended
  try {
    ended = await run()
  } catch (error) {
    ended = `FAILED: ${error.message}`
    process.exitCode = 1
  }
  console.log(`${name.padEnd(18)} ${ended} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
}

const steps = []
if (only !== 'ts') for (const kernel of KERNELS) steps.push(step(kernel.out, () => buildKernel(kernel)))
if (only !== 'kernel') steps.push(step('dist', buildDist), step('dist/bundle', buildBundle))
await Promise.all(steps)
if (process.exitCode === undefined && only !== 'kernel') copyFiles()
