/**
 * Two suites of the same files. `npm test` runs the quick one, the checks that a change needs: every unit test, fewer
 * runs of slow properties, and one or a few of many similar cases. `npm run test:all` runs everything, and so does CI.
 * What the quick suite leaves out goes through test/whole.ts: `WHOLE`, `runs`, `some`.
 */
import { defineConfig } from 'vitest/config'

/** Folders whose tests start threads, processes or whole builds, replace methods, or measure memory. */
const ISOLATED = [
  'cli',
  '{cluster,cluster/*}',
  'e2e',
  'engines',
  'environments',
  'examples',
  'fuzz',
  'interop',
  'live',
].map((name) => `test/${name}/*.test.ts`)

const UNITS = ['test/*.test.ts', 'test/*/*.test.ts', 'test/{format/live,cluster/*}/*.test.ts']

export default defineConfig(({ mode }) => {
  // Projects load this file again without the mode: the variable carries it to them.
  if (mode === 'all') process.env['SHARDLOOM_TESTS'] = 'all'
  const suite = process.env['SHARDLOOM_TESTS'] ?? 'quick'
  return {
    test: {
      env: { SHARDLOOM_TESTS: suite },
      // Whole builds start worker threads: forks keep one file's threads away from another's.
      pool: 'forks',
      // By default a machine of two cores would run one file after another; most files wait for disks and threads half
      // the time.
      maxWorkers: 2,
      testTimeout: 120_000,
      hookTimeout: 120_000,
      reporters: suite === 'all' ? ['default'] : [{ onTestRunEnd: sayWhichSuite }, 'default'],
      projects: [
        {
          extends: true,
          // Files share their modules: loading them again takes longer than most of these files.
          test: { name: 'units', include: UNITS, exclude: ISOLATED, isolate: false },
        },
        { extends: true, test: { name: 'builds', include: ISOLATED } },
      ],
    },
  }
})

function sayWhichSuite(): void {
  console.log('\nThis was the quick suite; npm run test:all runs every case.')
}
