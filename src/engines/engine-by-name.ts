/** The table of engines. */

import { InvalidOptionError } from '../errors.js'
import type { EngineName } from '../api/report.js'
import { ENGINE_NAMES } from './engine-names.js'
import { hnswlibWasmEngine } from './hnswlib-wasm/hnswlib-wasm-engine.js'
import { pipnnEngine } from './pipnn/pipnn-engine.js'
import type { ShardEngine } from './shard-engine.js'

const ENGINES: { readonly [Name in EngineName]: ShardEngine } = {
  pipnn: pipnnEngine,
  'hnswlib-wasm': hnswlibWasmEngine,
}

/** @throws InvalidOptionError for an unknown name: options come from untyped callers and from files. */
export function engineByName(name: EngineName): ShardEngine {
  if (!Object.hasOwn(ENGINES, name)) {
    throw new InvalidOptionError(`engine is ${JSON.stringify(name)}, expected one of: ${ENGINE_NAMES.join(', ')}`)
  }
  return ENGINES[name]
}
