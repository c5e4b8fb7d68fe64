import { createRequire } from 'node:module'

/** Resolves package.json by the package name, which works from the sources and from dist. */
export function packageVersion(): string {
  const { version } = createRequire(import.meta.url)('shardloom/package.json') as { version: string }
  return version
}
