/**
 * The suite of the local build, with every build going over a Redis and two workers: `npm run test:cluster`. The bytes
 * that it asserts are those of one machine.
 */
import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vitest/config'
import { EXCEPTIONS } from './exceptions.js'

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

/** Files whose tests are of whole builds. */
const BUILDING = ['test/e2e/*.test.ts']

/** Tests import cluster-index.mjs in place of the library. */
function overCluster(): Plugin {
  const [library, wrapper] = [here('../../../dist/src/index.js'), here('cluster-index.mjs')]
  return {
    name: 'over-cluster',
    enforce: 'pre',
    async resolveId(name, importer, options) {
      if (!name.endsWith('/index.js') || importer === undefined || importer === wrapper) return undefined
      if (!importer.startsWith(here('../../'))) return undefined
      const found = await this.resolve(name, importer, { ...options, skipSelf: true })
      return found?.id === library ? wrapper : found
    },
  }
}

export default defineConfig({
  root: here('../../../'),
  plugins: [overCluster()],
  test: {
    env: { SHARDLOOM_TESTS: process.env['SHARDLOOM_TESTS'] ?? 'quick' },
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    include: BUILDING,
    exclude: EXCEPTIONS.filter(({ test }) => test === undefined).map(({ file }) => `test/${file}`),
    setupFiles: [here('skip-exceptions.ts')],
    globalSetup: [here('hosts.mjs')],
  },
})
