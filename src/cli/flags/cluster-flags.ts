/** Where builds and workers meet: from flags and the environment. */
import type { ClusterOptions } from '../../api/build.js'
import { InvalidOptionError } from '../../errors.js'
import { checkValue } from '../../options/check-options.js'
import { CLUSTER_FLAGS } from '../../options/cluster/cluster-options.js'
import { kebabCase } from '../../options/option-facts.js'
import type { OptionLayer } from '../../options/config/merge-options.js'

/** The options that a variable can give: SHARDLOOM_CLUSTER, SHARDLOOM_SHARED_DIR. */
const OF_ENVIRONMENT = ['cluster', 'sharedDir'] as const

/** Each variable that is set, as a layer of its own: where an option comes from can be shown. @throws InvalidOptionError */
export function environmentLayers(env = process.env): OptionLayer[] {
  return OF_ENVIRONMENT.flatMap((option) => {
    const variable = `SHARDLOOM_${kebabCase(option).replaceAll('-', '_').toUpperCase()}`
    const text = env[variable] ?? ''
    if (text === '') return []
    return [{ from: variable, options: { [option]: checkValue(variable, CLUSTER_FLAGS[option], text) } }]
  })
}

/** What was given, in whatever way. */
interface GivenCluster {
  readonly cluster?: string | undefined
  readonly sharedDir?: string | undefined
  readonly lockSeconds?: number | undefined
}

/** The hosts of a build; undefined: it runs here alone. @throws InvalidOptionError when only a part is given */
export function clusterOf({ cluster, sharedDir, lockSeconds }: GivenCluster): ClusterOptions | undefined {
  if (cluster !== undefined && sharedDir !== undefined) {
    return { connection: cluster, sharedDir, ...(lockSeconds !== undefined && { lockSeconds }) }
  }
  if (cluster !== undefined) {
    throw new InvalidOptionError(
      '--cluster without --shared-dir: other hosts need a folder that all of them see; pass --shared-dir DIR, or set ' +
        '$SHARDLOOM_SHARED_DIR',
    )
  }
  const left = sharedDir !== undefined ? '--shared-dir' : lockSeconds !== undefined ? '--lock-seconds' : undefined
  if (left === undefined) return undefined
  throw new InvalidOptionError(
    `${left} without --cluster: it is for builds on other hosts; pass --cluster redis://host:6379, or set ` +
      '$SHARDLOOM_CLUSTER',
  )
}

/** As `clusterOf`, for a worker, which needs both. @throws InvalidOptionError */
export function clusterOfWorker(flags: GivenCluster, env = process.env): ClusterOptions {
  const layers = environmentLayers(env).map(({ options }) => options)
  const cluster = clusterOf(Object.assign({}, ...layers, definedOf(flags)) as GivenCluster)
  if (cluster !== undefined) return cluster
  throw new InvalidOptionError(
    'no Redis: pass --cluster redis://host:6379 and --shared-dir DIR, or set $SHARDLOOM_CLUSTER and ' +
      '$SHARDLOOM_SHARED_DIR; see shardloom worker --help',
  )
}

function definedOf(flags: GivenCluster): object {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined))
}
