import type { BuildPlan } from '../../plan/plan-build.js'
import type { TaskRunner } from '../../tasks/task-runner.js'
import type { ResolvedCluster } from '../../options/resolve-options.js'
import type { HostProgress } from '../../api/build.js'
import type { HostReport, StageName } from '../../api/report.js'

/** What the runner of a build uses of it. */
export interface ClusterBuild {
  /** Names the build's queue: the same for each run of it. */
  readonly indexDir: string
  /** The folder of its temporary files, inside the shared folder. */
  readonly spillDir: string
  /** Ends the names of what this run alone writes. */
  readonly runSuffix: string
  readonly signal: AbortSignal
  readonly stallSeconds: number
  readonly onEvent: (kind: string, message: string) => void
  readonly stageName: () => StageName
}

/** The hosts of one build. */
export interface Cluster {
  /** Asks for hosts, and runs the tasks of the planned build on them; `local` runs those that stay here. */
  start(plan: BuildPlan, local: TaskRunner): TaskRunner
  /** Hosts that are or were there, in the order of their names. */
  readonly hosts: readonly HostReport[]
  /** What those that work do now, in the same order. Asked for ten times a second. */
  readonly progress: readonly HostProgress[]
  /** Takes the build's jobs and notices out of Redis, and ends the connections. */
  close(): Promise<void>
}

/** Connects to Redis and checks the shared folder. @throws MissingPackageError, ClusterError, InvalidOptionError */
export async function openCluster(options: ResolvedCluster, build: ClusterBuild): Promise<Cluster> {
  throw new Error(`not built yet: ${options.sharedDir} ${build.indexDir}`)
}
