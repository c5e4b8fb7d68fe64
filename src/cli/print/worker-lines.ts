import { formatByteSize } from '../../memory/byte-size.js'
import type { WorkerSummary } from '../../api/worker.js'
import { countText, tookText } from '../../report/number-text.js'
import { tableLines } from './table-lines.js'

/** What a worker did, for people. */
export function workerLines({ host, seconds, builds, tasks, busySeconds, peakRssBytes }: WorkerSummary): string[] {
  return tableLines([
    ['host', host],
    ['builds', countText(builds)],
    ['tasks', `${countText(tasks)}, ${tookText(busySeconds)} of its threads`],
    ['time', tookText(seconds)],
    ['peak memory', formatByteSize(peakRssBytes)],
  ])
}
