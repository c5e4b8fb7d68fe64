import type { BufferPool } from '../../../spill/buffer-pool.js'
import type { SharedArrays } from './shared-arrays.js'
import type { SharedPaths } from './shared-paths.js'

/** Memory for arrays that tasks fill. */
export type OutputMemory = Pick<BufferPool, 'acquire' | 'release'>

/** What a host has for the tasks of one build. */
export interface HostFiles {
  readonly paths: SharedPaths
  /** The folder of results, relative. */
  readonly results: string
  readonly arrays: SharedArrays
  readonly outputs: OutputMemory
}
