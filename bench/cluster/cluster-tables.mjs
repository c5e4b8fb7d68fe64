// The results of cluster.mjs as markdown.
import { machineText, markdownTable } from '../tables.mjs'
import { STAGES_THAT_GO_OUT } from './summarise.mjs'

export function renderCluster({ machine, data, settings, summary }) {
  return [
    `### Cluster: ${data.name}, ${count(data.count)} x ${data.dims}, ${data.metric}`,
    `${machineText(machine)} Everything runs on this machine; each worker has ${settings.threads} thread(s), ` +
      `${settings.memory} of memory for each process, ${settings.isResumable ? '' : 'not '}resumable, quantization ` +
      `${settings.quantization}. Medians of ${settings.repeat} run(s); all indexes have the same bytes.`,
    stagesTable(summary),
    cpuTable(summary),
    stageCpuTable(summary),
    bytesTable(summary),
    ...speedups(summary),
    ...eventsText(summary),
  ].join('\n\n')
}

function stagesTable(summary) {
  const goesOut = (name) => STAGES_THAT_GO_OUT.includes(name)
  const rows = summary[0].stages.map(({ name }, i) => [
    goesOut(name) ? `${name} *` : name,
    ...summary.map(({ stages }) => stages[i].seconds.toFixed(2)),
  ])
  rows.push(['* in all', ...summary.map(({ outSeconds }) => outSeconds.toFixed(2))])
  rows.push(['whole process', ...summary.map(({ whole }) => whole.toFixed(2))])
  return markdownTable(['seconds; *: goes out', ...summary.map(({ name }) => name)], rows)
}

/** How many times as fast the stages that go out are with more workers. */
function speedups(summary) {
  const [first, ...more] = summary.filter(({ workers }) => workers > 0)
  const share = ({ name, busyShare }) => `${name}: ${(100 * busyShare).toFixed(0)}%`
  return [
    ...more.map(
      ({ name, outSeconds }) =>
        `Stages that go out: ${name} are ${(first.outSeconds / outSeconds).toFixed(2)} times as fast as ${first.name}.`,
    ),
    `Part of these stages that threads of workers were in tasks: ${[first, ...more].map(share).join(', ')}.`,
  ]
}

function cpuTable(summary) {
  const [local] = summary
  return markdownTable(
    [
      'CPU, s',
      'coordinator',
      'workers',
      'Redis',
      'all',
      `x ${local.name}`,
      'x local, as many threads',
      'start of workers, beside',
    ],
    summary.map(({ name, cpu, workers, threads }) => [
      name,
      ...[cpu.coordinator, cpu.worker, cpu.redis, cpu.all].map((seconds) => seconds.toFixed(2)),
      (cpu.all / local.cpu.all).toFixed(2),
      (cpu.all / localOf(summary, Math.max(1, workers) * threads).cpu.all).toFixed(2),
      cpu.workerStart.toFixed(2),
    ]),
  )
}

const localOf = (summary, wanted) => summary.find(({ workers, threads }) => workers === 0 && threads === wanted)

function stageCpuTable(summary) {
  const text = ({ cpu: { coordinator, worker, redis } }) =>
    [coordinator, worker, redis].map((seconds) => seconds.toFixed(2)).join(' + ')
  return markdownTable(
    ['CPU, s: coordinator + workers + Redis', ...summary.map(({ name }) => name)],
    summary[0].stages.map(({ name }, i) => [
      name,
      ...summary.map(({ workers, stages }) => (workers === 0 ? stages[i].cpu.coordinator.toFixed(2) : text(stages[i]))),
    ]),
  )
}

function bytesTable(summary) {
  return markdownTable(
    [
      'MB',
      'coordinator reads',
      'writes',
      'workers read',
      'write',
      'spilled',
      'index',
      'peak RSS coordinator',
      'of a worker',
      'Redis',
      'through Redis',
      'commands',
      'tasks',
      'lost',
    ],
    summary.map((each) => [
      each.name,
      ...[each.readBytes.coordinator, each.writtenBytes.coordinator].map(megabytes),
      ...[each.readBytes.worker, each.writtenBytes.worker, each.spilledBytes, each.indexBytes].map(megabytes),
      ...[each.peakRssBytes.coordinator, each.peakRssBytes.worker, each.peakRssBytes.redis].map(megabytes),
      ((each.redis.inBytes + each.redis.outBytes) / 1e6).toFixed(2),
      count(each.redis.commands),
      count(each.tasks),
      count(each.lostTasks),
    ]),
  )
}

function eventsText(summary) {
  const noted = summary.filter(({ events }) => events.length > 0)
  return noted.map(({ name, events }) => `${name}: events ${events.join(', ')}.`)
}

const megabytes = (bytes) => (bytes / 1e6).toFixed(0)
const count = (value) => value.toLocaleString('en-US')
