/**
 * Imports an optional peer when it is used. The name is a parameter, not a literal: a bundler would look for the package
 * when it bundles, and it need not be installed.
 */
export function loadPeer(name: string): Promise<unknown> {
  return import(/* webpackIgnore: true */ /* @vite-ignore */ name)
}
