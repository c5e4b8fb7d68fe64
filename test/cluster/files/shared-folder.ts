import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { BufferPool } from '../../../spill/buffer-pool.js'
import type { HostFiles } from '../../../src/cluster/files/host-files.js'
import { SharedArrays } from '../../../src/cluster/files/shared-arrays.js'
import { SharedPaths } from '../../../src/cluster/files/shared-paths.js'
import { TaskFiles } from '../../../src/cluster/files/task-files.js'
import { makeFolder } from '../../fixtures/tasks.js'

/** A folder that a coordinator and a host see under different paths. */
export interface SharedFolder {
  readonly here: string
  readonly there: string
  /** The folder of a build, for the coordinator. */
  readonly build: string
  readonly files: TaskFiles
  readonly host: HostFiles
  /** The host's path of a file of the coordinator. */
  readonly onHost: (file: string) => string
}

export async function makeSharedFolder(limitBytes = 1e6): Promise<SharedFolder> {
  const here = makeFolder()
  const there = join(makeFolder(), 'mount')
  symlinkSync(here, there)
  const build = join(here, 'index', 'build')
  mkdirSync(build, { recursive: true })
  const files = new TaskFiles(here, join(build, 'results'))
  await files.open()
  return {
    here,
    there,
    build,
    files,
    host: {
      paths: new SharedPaths(there),
      results: files.relativeFolder,
      arrays: new SharedArrays(limitBytes),
      outputs: new BufferPool(),
    },
    onHost: (file) => file.replace(here, there),
  }
}
