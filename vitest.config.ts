/**
 * Two suites of the same files. `npm test` runs the quick one, the checks that a change needs: it leaves out the files
 * named `*.whole.test.ts` and what test files keep for `WHOLE` of test/whole.ts (more runs of a property, more data
 * sets). `npm run test:all` runs everything, and so does CI.
 */
import { defineConfig } from 'vitest/config'

/** Folders whose tests start threads, processes or whole builds, change prototypes, or measure memory. */
const ISOLATED = ['cli', 'e2e', 'engines', 'examples', 'fuzz', 'interop'].map((name) => `test/${name}/**`)
const TESTS = 'test/**/*.test.ts'
const NOT_TESTS = ['**/node_modules/**', 'dist/**']

export default defineConfig(({ mode }) => {
  const all = mode === 'all'
  const exclude = all ? NOT_TESTS : [...NOT_TESTS, '**/*.whole.test.ts']
  return {
    test: {
      env: { SHARDLOOM_TESTS: all ? 'all' : 'quick' },
      // Whole builds start worker threads: forks keep one file's threads away from another's.
      pool: 'forks',
      // By default a machine of two cores would run one file after another; most files wait for disks and threads half
      // the time.
      maxWorkers: 2,
      testTimeout: 120_000,
      hookTimeout: 120_000,
      reporters: all ? ['default'] : [{ onTestRunEnd: sayWhichSuite }, 'default'],
      projects: [
        // Modules loaded once for all files: starting anew takes longer than most of these files.
        {
          extends: true,
          test: { name: 'units', include: [TESTS], exclude: [...exclude, ...ISOLATED], isolate: false },
        },
        { extends: true, test: { name: 'builds', include: ISOLATED.map((folder) => `${folder}/*.test.ts`), exclude } },
      ],
    },
  }
})

function sayWhichSuite(): void {
  console.log('\nThis was the quick suite. Every test: npm run test:all')
}
