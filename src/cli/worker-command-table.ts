/** The command that runs on other hosts than the build. */
import { WORKER_COMMAND_OPTIONS } from '../options/cluster/worker-options.js'
import { defineCommand } from './command.js'

export const WORKER = defineCommand({
  name: 'worker',
  summary: 'run tasks of builds that have --cluster, on this host',
  description: 'Runs tasks of all builds that have the same --cluster, until it is told to end.',
  usage: '--cluster URL --shared-dir DIR [options]',
  options: WORKER_COMMAND_OPTIONS,
  load: async () => (await import('./commands.js')).workerCommand,
  notes: `
Needs Redis 6.2 or later, npm install bullmq ioredis, and a folder that all hosts see, where the index is built; hosts
may have it at different paths. The version must be that of the build.
SIGTERM: takes no more tasks, ends those that run or gives them back, and ends with 0. Once more ends at once.
A URL with a password is better in SHARDLOOM_CLUSTER: others on the host see arguments.

Examples:
  $ shardloom worker --cluster redis://10.0.0.5:6379 --shared-dir /mnt/shared
  $ SHARDLOOM_CLUSTER=rediss://:secret@redis:6379 SHARDLOOM_SHARED_DIR=/mnt/shared shardloom worker --memory 8GB
  $ shardloom build /data/articles.npy --out /mnt/shared/articles.index \\
      --cluster redis://10.0.0.5:6379 --shared-dir /mnt/shared`,
})
