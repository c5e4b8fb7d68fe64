/** The names of the engines, for those who only name them: nothing is loaded. */
import type { EngineName } from '../api/report.js'

export const ENGINE_NAMES: readonly EngineName[] = ['pipnn', 'hnswlib-wasm']

export const DEFAULT_ENGINE: EngineName = 'pipnn'
