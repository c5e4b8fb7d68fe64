import type { BuildReport } from '../api/report.js'
import { given, html, type Html } from './draw/html.js'
import { plural, tookText } from './number-text.js'

/** All events of the build: everything that it did differently than it was asked. */
export function eventsSection({ events, resumed }: BuildReport): Html {
  const list =
    events.length === 0
      ? html`<p>None. Nothing was skipped, retried, repaired, or done with fewer resources than were asked for.</p>`
      : html`<ol class="events">
          ${events.map(
            ({ atSeconds, stage, kind, message }) => html`
              <li>
                <p class="remark"><code>${given(kind)}</code> ${tookText(atSeconds)}, ${given(stage)}</p>
                <p>${given(message)}</p>
              </li>
            `,
          )}
        </ol>`
  return html` <section id="events" aria-labelledby="events-title">
    <h2 id="events-title">Events</h2>
    ${resumed && html`<p>This build resumed an interrupted one of ${given(resumed.startedAt)} and reused ${plural(resumed.vectors, 'vector')}, ${plural(resumed.shards, 'shard')} and ${plural(resumed.segments, 'links segment')} of it.</p>`}
    ${list}
  </section>`
}
