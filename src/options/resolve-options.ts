import os from 'node:os'
import path from 'node:path'
import { buildOptionsSchema } from './build-options.js'
import { checkOptions } from './check-options.js'
import { InvalidOptionError } from '../errors.js'
import { parseByteSize } from '../memory/byte-size.js'
import type { BuildOptions, ClusterOptions, Logger } from '../api/build.js'
import { assertFields } from '../fields/schema.js'
import type { Quantization } from '../api/report.js'
import type { Metric } from '../api/vectors.js'

/** Every option of a build, checked, with its default, in the units that the build computes with. */
export type ResolvedOptions = Readonly<ReturnType<typeof resolveOptions>>

const SILENT: Logger = { info: () => undefined, warn: () => undefined }

/** @throws InvalidOptionError that names the option, what is allowed and what was given. */
export function resolveOptions(given: BuildOptions) {
  const { memory, tempDir, queueBytes, threads, cluster, ...options } = checkOptions(buildOptionsSchema, given)
  checkQuantization(options.metric, options.quantization)
  const indexDir = path.resolve(options.path)
  return {
    ...options,
    path: indexDir,
    cluster: cluster && resolveCluster(cluster, { path: indexDir, tempDir }),
    fields: options.fields === undefined ? undefined : assertFields(options.fields),
    memoryBytes: memory === undefined ? undefined : parseByteSize(memory, 'memory'),
    // Where other hosts run the tasks, one thread runs the few that stay.
    threads: threads ?? (cluster === undefined ? os.availableParallelism() : 1),
    /** The caller gave `threads`: fewer are then worth an event, whatever the reason. */
    hasThreads: threads !== undefined,
    tempDir: tempDir === undefined ? undefined : path.resolve(tempDir),
    queueBytes: queueBytes === undefined ? undefined : bytesOrZero(queueBytes),
    onProgress: options.onProgress,
    logger: options.logger ?? SILENT,
  }
}

/** A bit tells the side of a plane through the origin, so that binary codes compare angles. @throws InvalidOptionError */
export function checkQuantization(metric: Metric, quantization: Quantization): void {
  if (quantization !== 'binary' || metric === 'cosine') return
  throw new InvalidOptionError(
    `quantization 'binary' compares angles and needs metric 'cosine', got '${metric}'; ` +
      `choose metric 'cosine', or quantization 'pq'`,
  )
}

/** The hosts of a build, with an absolute folder. */
export type ResolvedCluster = Readonly<Required<ClusterOptions>>

/** All files of a build are in the folder that all hosts see. @throws InvalidOptionError */
function resolveCluster(
  cluster: Required<ClusterOptions>,
  folders: { readonly path: string; readonly tempDir: string | undefined },
): ResolvedCluster {
  const sharedDir = path.resolve(cluster.sharedDir)
  for (const [option, folder] of Object.entries(folders)) {
    if (folder === undefined || isInside(sharedDir, path.resolve(folder))) continue
    throw new InvalidOptionError(
      `${option} '${folder}' is outside of the shared folder '${sharedDir}', where other hosts do not see it; ` +
        `choose a folder inside, such as '${path.join(sharedDir, path.basename(folder))}'`,
    )
  }
  return { ...cluster, sharedDir }
}

function isInside(folder: string, file: string): boolean {
  const relative = path.relative(folder, file)
  return relative !== '' && !relative.startsWith('..') && !path.isAbsolute(relative)
}

function bytesOrZero(size: number | string): number {
  return Number(size) === 0 ? 0 : parseByteSize(size, 'queueBytes')
}
