const LIBRARY = new URL('../../../dist/src/index.js', import.meta.url).href
const OVER_CLUSTER = new URL('cluster-index.mjs', import.meta.url).href

/** Hook of node:module. Tests lie in test/, and cluster-index.mjs has the library itself. */
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context)
  const isTest = context.parentURL?.includes('/test/') === true && context.parentURL !== OVER_CLUSTER
  return found.url === LIBRARY && isTest ? { ...found, url: OVER_CLUSTER } : found
}
