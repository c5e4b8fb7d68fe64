import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Whole builds start worker threads of their own: forks keep one file's threads away from another's.
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
