/**
 * Refuses an old Node.js, and a bundle, when the library is loaded: before any other module is evaluated, which would
 * fail for a reason that names neither. So `src/index.ts` imports it first, and whatever it loads must link on an old
 * Node.js: a builtin's newer functions are read from its default export.
 */
import { existsSync } from 'node:fs'
import { BundledError, UnsupportedNodeError } from '../errors.js'
import { MODULE_URL, ownFile } from '../own-files.js'
import { whyUnsupported } from './supported-node.js'

/** In a bundle of webpack; there MODULE_URL still names the module that was bundled. */
declare const __webpack_require__: unknown

/** Whether threads and kernels find their files. */
function hasItsFiles(): boolean {
  return MODULE_URL !== undefined && existsSync(ownFile('kernel/kernel.wasm'))
}

const reason = whyUnsupported(process.versions.node)
if (reason !== undefined) throw new UnsupportedNodeError(reason)
if (typeof __webpack_require__ !== 'undefined' || !hasItsFiles()) {
  throw new BundledError()
}
