import type { RecallCurve } from '../api/measure.js'
import type { Manifest } from '../format/generation/manifest.js'
import { formatByteSize } from '../memory/byte-size.js'
import { html, type Content, type Html } from './draw/html.js'
import { countText, plural, rateText, tookText } from './number-text.js'
import { overallRate } from './stage-spans.js'
import { intervalText, ownRecall, VERDICT_RULE, verdictOf, type OwnRecall } from './verdict.js'

/** What was built and how good it is, for the first screen. */
export function summarySection({ report, quantization }: Manifest, recall: RecallCurve | undefined): Html {
  const { count, reachable, repaired, skipped, seconds, workers, threads, events, selfRecall } = report
  const busyShare = workers.busySeconds / Math.max(0.001, seconds * threads)
  const own = ownRecall(report, recall)
  const itself =
    selfRecall === undefined
      ? undefined
      : html`, and <strong>${(100 * selfRecall).toFixed(2)}%</strong> of sampled vectors themselves`
  const tiles: readonly (readonly [string, string, Content])[] = [
    ['answers', verdictOf({ recall: own.recall, selfRecall }), VERDICT_RULE],
    ['recall@10', own.recall.toFixed(4), recallRemark(own)],
    ['reachable', reachable === count ? 'all' : countText(reachable), `${countText(repaired)} linked by repair`],
    ['time', tookText(seconds), rateText(overallRate(report)).replace('/s', ' vectors/s')],
    ['peak memory', formatByteSize(report.peakRssBytes), `of a budget of ${formatByteSize(report.memoryBytes)}`],
    ['on disk', formatByteSize(report.diskBytes), `${formatByteSize(Math.round(report.diskBytes / count))} per vector`],
    ['spilled', report.spilledBytes > 0 ? formatByteSize(report.spilledBytes) : 'nothing', 'to temporary files'],
    ['worker threads', String(threads), `busy ${Math.round(100 * Math.min(1, busyShare))}% of the time`],
    [
      'events',
      events.length === 0 ? 'none' : countText(events.length),
      events.length === 0 ? 'nothing to report' : html`<a href="#events">see below</a>`,
    ],
  ]
  return html` <section id="summary" aria-labelledby="summary-title">
    <h2 id="summary-title">What was built</h2>
    <p class="lead">
      An index of <strong>${plural(count, 'vector')}</strong> of ${plural(report.dimensions, 'dimension')},
      ${report.metric}${quantization === 'f32' ? undefined : ` with ${quantization} quantization`}, in
      <strong>${tookText(seconds)}</strong>. A search with ef 64 finds
      <strong>${(100 * own.recall).toFixed(2)}%</strong> of the ten nearest
      neighbours${itself}.${skipped > 0 ? ` ${plural(skipped, 'vector')} ${skipped === 1 ? 'was' : 'were'} skipped.` : undefined}
    </p>
    <dl class="tiles">
      ${tiles.map(
        ([name, value, note]) =>
          html`<div>
            <dt>${name}</dt>
            <dd><span class="figure">${value}</span> <span class="remark">${note}</span></dd>
          </div> `,
      )}
    </dl>
  </section>`
}

function recallRemark({ interval, queries }: OwnRecall): string {
  const likely = interval === undefined ? '' : `, ${intervalText(interval)} with 95% certainty`
  return `at ef 64, ${countText(queries)} vectors of the index against exact search${likely}`
}
