import type { BuildReport, HostReport } from '../../api/report.js'
import { hostFacts } from '../host-facts.js'
import { exposition, type Gauge, type Sample } from './exposition.js'

const PREFIX = 'shardloom_build_'
const LAST_SUCCESS = `${PREFIX}last_success_timestamp_seconds`

/**
 * A build as gauges in the text format of Prometheus, for node_exporter's textfile collector. Every sample has the
 * label `index`, the path of the index, which keeps the files of several builds apart. `at`: when the build ended.
 */
export function reportMetrics(report: BuildReport, at: Date = new Date()): string {
  const { stages, memory, skippedInvalid, skippedDuplicates, generation, metric, engine, quality, quantization } =
    report
  const { elevated, high, critical, ingestPauses } = memory.pressure
  const info = { generation, metric, engine, quality, quantization }
  return exposition(
    [
      ...outcome(1, {}, at, at.getTime() / 1000),
      gauge('info', 'What was built; always 1.', [{ labels: info, value: 1 }]),
      gauge('duration_seconds', 'Time that the build took.', [{ value: report.seconds }]),
      gauge(
        'stage_duration_seconds',
        'Time that a stage took.',
        stages.map(({ name, seconds }) => ({ labels: { stage: name }, value: seconds })),
      ),
      gauge(
        'stage_peak_memory_bytes',
        'Highest resident memory while a stage ran.',
        stages.map(({ name, peakRssBytes }) => ({ labels: { stage: name }, value: peakRssBytes })),
      ),
      gauge('vectors', 'Vectors in the index.', [{ value: report.count }]),
      gauge('skipped_vectors', 'Vectors left out.', [
        { labels: { reason: 'invalid' }, value: skippedInvalid },
        { labels: { reason: 'duplicate' }, value: skippedDuplicates },
      ]),
      gauge('dimensions', 'Length of each vector.', [{ value: report.dimensions }]),
      gauge('recall_ratio', 'Measured recall@10 at ef 64, 0 to 1.', [{ value: report.recallAt10 }]),
      gauge(
        'recall_low_ratio',
        'Lower end of the 95% interval of recall_ratio, 0 to 1.',
        report.recallInterval === undefined ? [] : [{ value: report.recallInterval.low }],
      ),
      gauge(
        'self_recall_ratio',
        'Share of sampled vectors that a search at ef 64 for them finds, 0 to 1.',
        report.selfRecall === undefined ? [] : [{ value: report.selfRecall }],
      ),
      gauge('average_degree', 'Links of a node on level 0, on average.', [{ value: report.averageDegree }]),
      gauge('repaired_nodes', 'Unreachable nodes that the build linked.', [{ value: report.repaired }]),
      gauge('shards', 'Shards that were built.', [{ value: report.shards }]),
      gauge('threads', 'Worker threads.', [{ value: report.threads }]),
      gauge('worker_busy_seconds', 'Time of all worker threads together.', [{ value: report.workers.busySeconds }]),
      ...hostGauges(report.hosts),
      gauge('memory_budget_bytes', 'Memory budget of the build.', [{ value: report.memoryBytes }]),
      gauge('peak_memory_bytes', 'Highest resident memory.', [{ value: report.peakRssBytes }]),
      gauge(
        'memory_pressure_entered',
        'Times that memory pressure rose to a level.',
        Object.entries({ elevated, high, critical }).map(([level, value]) => ({ labels: { level }, value })),
      ),
      gauge('ingest_pauses', 'Times that reading paused for lack of memory.', [{ value: ingestPauses }]),
      gauge('spilled_bytes', 'Bytes that queues wrote to temporary files.', [{ value: report.spilledBytes }]),
      gauge('index_size_bytes', 'Bytes of the published index.', [{ value: report.diskBytes }]),
      gauge('warnings', 'Events in the report.', [{ value: report.events.length }]),
    ],
    { index: report.path },
  )
}

/** Of a build on one machine: none. */
function hostGauges(hosts: BuildReport['hosts']): Gauge[] {
  if (hosts === undefined) return []
  const { working, refused } = hostFacts(hosts)
  const each = (of: (host: HostReport) => number): Sample[] =>
    working.map((host) => ({ labels: { host: host.host }, value: of(host) }))
  return [
    gauge('hosts', 'Hosts that worked for the build.', [{ value: working.length }]),
    gauge('refused_hosts', 'Hosts that took no tasks; the report says why.', [{ value: refused.length }]),
    gauge(
      'host_tasks',
      'Tasks of a host whose results were used.',
      each(({ tasks }) => tasks),
    ),
    gauge(
      'host_busy_seconds',
      'Time of the threads of a host in tasks.',
      each(({ busySeconds }) => busySeconds),
    ),
    gauge(
      'host_lost_tasks',
      'Tasks that a host took and did not finish.',
      each(({ lostTasks }) => lostTasks),
    ),
    gauge(
      'host_peak_memory_bytes',
      'Highest resident memory of a host.',
      each(({ peakRssBytes }) => peakRssBytes),
    ),
  ]
}

export interface FailedBuild {
  /** The index directory, as in the report of a build that succeeds. */
  readonly path: string
  /** Code of the error, as SHARDLOOM_DISK_FULL. */
  readonly code: string
  /** The metrics written before, which have the time of the last success; '' when there are none. */
  readonly before: string
}

/** Metrics of a failed build: the failure, its time and code, and when a build last succeeded. */
export function failureMetrics({ path, code, before }: FailedBuild, at: Date = new Date()): string {
  return exposition(outcome(0, { code }, at, lastSuccess(before)), { index: path })
}

function outcome(success: number, labels: Sample['labels'], at: Date, lastSuccessSeconds: number | undefined): Gauge[] {
  return [
    gauge('success', '1 when the last build succeeded, 0 when it failed; code says why.', [{ labels, value: success }]),
    gauge('finished_timestamp_seconds', 'When the last build ended.', [{ value: at.getTime() / 1000 }]),
    gauge(
      'last_success_timestamp_seconds',
      'When a build last succeeded.',
      lastSuccessSeconds === undefined ? [] : [{ value: lastSuccessSeconds }],
    ),
  ]
}

function gauge(name: string, help: string, samples: readonly Sample[]): Gauge {
  return { name: PREFIX + name, help, samples }
}

/** Label values may have braces, but no line breaks. */
function lastSuccess(text: string): number | undefined {
  const found = new RegExp(`^${LAST_SUCCESS}\\{.*\\} (\\d+(?:\\.\\d+)?)$`, 'm').exec(text)
  return found === null ? undefined : Number(found[1])
}
