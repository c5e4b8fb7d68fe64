import type { BuildReport, HostReport } from '../api/report.js'
import { formatByteSize } from '../memory/byte-size.js'
import { given, html, type Content, type Html } from './draw/html.js'
import { table } from './draw/table.js'
import { hostFacts } from './host-facts.js'
import { countText, plural, tookText } from './number-text.js'

/** What each host did; undefined for a build on one machine. */
export function hostsSection({ hosts }: BuildReport): Html | undefined {
  if (hosts === undefined) return undefined
  const { working, refused, threads, tasks, lostTasks, busySeconds } = hostFacts(hosts)
  return html` <section id="hosts" aria-labelledby="hosts-title">
    <h2 id="hosts-title">Hosts</h2>
    <p>
      ${plural(working.length, 'host')}${threads === undefined ? undefined : ` with ${plural(threads, 'thread')}`} ran
      ${plural(tasks, 'task')} for this
      build${lostTasks > 0 ? `; ${plural(lostTasks, 'task')} ran again elsewhere` : undefined}. The charts above are of
      the coordinator.
    </p>
    ${
      working.length === 0
        ? undefined
        : table({
            name: 'Hosts and their tasks',
            head: ['Host', 'Threads', 'Tasks', 'Thread time', 'Share', 'Lost tasks', 'Peak memory'],
            rows: working.map((host) => rowOf(host, busySeconds)),
          })
    }
    ${refused.length === 0 ? undefined : refusedList(refused)}
  </section>`
}

function rowOf(host: HostReport, allSeconds: number): readonly Content[] {
  const share = allSeconds > 0 ? (100 * host.busySeconds) / allSeconds : 0
  return [
    html`<span class="host">${given(host.host)}</span>`,
    known(host.threads, countText),
    countText(host.tasks),
    tookText(host.busySeconds),
    `${share.toFixed(1)}%`,
    countText(host.lostTasks),
    `${formatByteSize(host.peakRssBytes)} of ${known(host.memoryBytes, formatByteSize)}`,
  ]
}

/** A host of a short build may have said nothing of itself. */
function known(value: number, text: (value: number) => string): string {
  return value === 0 ? 'unknown' : text(value)
}

function refusedList(refused: readonly HostReport[]): Html {
  return html`<h3>Hosts that took no tasks</h3>
    <ul>
      ${refused.map(({ host, refused: reason }) => html`<li>${given(host)}: ${given(reason ?? '')}</li>`)}
    </ul>`
}
