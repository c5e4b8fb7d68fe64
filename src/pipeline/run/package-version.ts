import { createRequire } from 'node:module'

/** By the package's own name: from the sources as well as from dist. */
export function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('shardloom/package.json') as { version: string }
  return version
}
