/**
 * Refuses an old Node.js, and a bundle, when the library is loaded: before any other module is evaluated, which would
 * fail for a reason that names neither. So `src/index.ts` imports it first, and whatever it loads must link on an old
 * Node.js: a builtin's newer functions are read from its default export.
 */
import { existsSync } from 'node:fs'
import { BundledError, UnsupportedNodeError } from '../errors.js'
import { whyUnsupported } from './supported-node.js'

/** In a bundle of webpack; there `import.meta.url` still names the module that was bundled. */
declare const __webpack_require__: unknown

/** From this module, in the sources and in dist. A bundler must not take it for an asset, so it is no literal below. */
const KERNEL = '../../kernel/kernel.wasm'

/** Whether threads and kernels find their files beside the module at `url`. CommonJS made by a bundler has no url. */
export function hasItsFiles(url: string | undefined): boolean {
  return url !== undefined && existsSync(new URL(KERNEL, url))
}

const reason = whyUnsupported(process.versions.node)
if (reason !== undefined) throw new UnsupportedNodeError(reason)
if (typeof __webpack_require__ !== 'undefined' || !hasItsFiles(import.meta.url)) {
  throw new BundledError()
}
