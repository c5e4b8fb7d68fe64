// The result of cluster-model.mjs as markdown.
import { markdownTable } from '../tables.mjs'

export function renderModel({ measured, settings, costs, sizes }) {
  const { threads, memoryBytes, networkBytes, storageBytes, storageReads, readSeconds, comparisonsPerSecond } = settings
  const from = measured.map(({ name, count, dims, date }) => `${name}, ${whole(count)} x ${dims} (${date})`).join('; ')
  return [
    '### Model: one build on many hosts',
    `From the costs of ${from}, ${measured[0].cpu}. Each host has ${threads} threads, ${gigabytes(memoryBytes)} GB of ` +
      `memory and ${gigabytes(networkBytes)} GB/s of network; the shared folder gives ${gigabytes(storageBytes)} GB/s to ` +
      `all and answers ${whole(storageReads)} small reads a second, each in ${1000 * readSeconds} ms. A thread compares ` +
      `${whole(comparisonsPerSecond)} vectors with a leader a second.`,
    costsTable(costs),
    sizesTable(sizes),
    timesTable(sizes),
  ].join('\n\n')
}

function costsTable({ stages }) {
  return markdownTable(
    [
      'of a vector',
      'coordinator, us of CPU',
      'its main thread',
      'hosts, us of CPU',
      'coordinator, bytes',
      'hosts, bytes',
    ],
    [...Object.entries(stages), ['in all', sumOf(Object.values(stages))]].map(([name, cost]) => [
      name,
      ...[cost.coordinatorCpu, cost.coordinatorMain, cost.hostCpu].map((seconds) => (1e6 * seconds).toFixed(2)),
      ...[cost.coordinatorBytes, cost.hostBytes].map((bytes) => bytes.toFixed(0)),
    ]),
  )
}

const sumOf = (costs) =>
  Object.fromEntries(Object.keys(costs[0]).map((name) => [name, costs.reduce((sum, cost) => sum + cost[name], 0)]))

function sizesTable(sizes) {
  const row = (name, of) => [name, ...sizes.map(of)]
  return markdownTable(
    ['', ...sizes.map(({ count }) => `${whole(count / 1e6)}M`)],
    [
      row('shards', (size) => whole(size.shards)),
      row('tasks of route, shards, merge and proof', (size) => whole(size.tasks)),
      row('through Redis, MB', (size) => whole(size.redisBytes / 1e6)),
      row('index, GB', (size) => gigabytes(size.indexBytes)),
      row('temporary files, GB', (size) => gigabytes(size.temporaryBytes)),
      row('coordinator at least, GB', (size) => gigabytes(size.coordinatorBytes)),
      row('JavaScript heap of it, GB', (size) => gigabytes(size.heapBytes)),
      row('a host beside its tasks, GB', (size) => gigabytes(size.hostBytes)),
      row('a task, GB', (size) => gigabytes(size.taskBytes)),
    ],
  )
}

function timesTable(sizes) {
  return markdownTable(
    [
      'vectors',
      'hosts',
      'time',
      'CPU of hosts',
      'CPU of coordinator',
      'moved, GB',
      'by coordinator, GB',
      'limit, share',
    ],
    sizes.flatMap(({ count, builds }) =>
      builds.map((build) => [
        `${whole(count / 1e6)}M`,
        build.hosts,
        duration(build.seconds),
        duration(build.hostCpu),
        duration(build.coordinatorCpu),
        whole(build.movedBytes / 1e9),
        whole(build.coordinatorBytes / 1e9),
        limits(build.shares),
      ]),
    ),
  )
}

/** What takes at least a tenth of the time, the most first. */
function limits(shares) {
  const large = Object.entries(shares).filter(([, share]) => share >= 0.1)
  return large
    .sort(([, a], [, b]) => b - a)
    .map(([name, share]) => `${name} ${(100 * share).toFixed(0)}%`)
    .join(', ')
}

export function duration(seconds) {
  if (seconds < 100) return `${seconds.toFixed(0)} s`
  if (seconds < 6000) return `${(seconds / 60).toFixed(0)} min`
  return `${(seconds / 3600).toFixed(1)} h`
}

const whole = (value) => Math.round(value).toLocaleString('en-US')
const gigabytes = (bytes) => (bytes / 1e9).toFixed(bytes < 10e9 ? 2 : 0)
