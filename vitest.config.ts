import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Whole builds start worker threads of their own: forks keep one file's threads away from another's.
    pool: 'forks',
    // By default a machine of two cores would run one file after another; most files wait for disks and threads half the time.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
