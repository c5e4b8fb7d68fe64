import type { RecallCurve } from '../api/measure.js'
import type { BuildReport } from '../api/report.js'
import type { Manifest } from '../format/generation/manifest.js'
import { formatByteSize } from '../memory/byte-size.js'
import { given, html, type Content, type Html } from './draw/html.js'
import { hostFacts } from './host-facts.js'
import { lowRecallAdvice } from './low-recall-advice.js'
import { countText, plural, rateText, tookText } from './number-text.js'
import { shellWord } from './shell-word.js'
import { overallRate } from './stage-spans.js'
import { intervalText, ownRecall, VERDICT_RULE, VERDICT_SIGNS, verdictOf } from './verdict.js'
import type { OwnRecall, Verdict } from './verdict.js'

export interface SummaryFacts {
  readonly manifest: Manifest
  /** The index directory, as the caller named it. */
  readonly path: string
  readonly recall?: RecallCurve | undefined
}

/** The verdict that the whole page shows. */
export function pageVerdict({ manifest: { report }, recall }: SummaryFacts): Verdict {
  return verdictOf({ recall: ownRecall(report, recall).recall, selfRecall: report.selfRecall })
}

/** What was built and how good it is, for the first screen. */
export function summarySection(facts: SummaryFacts): Html {
  const { report, quantization } = facts.manifest
  const { count, skipped, seconds, selfRecall } = report
  const own = ownRecall(report, facts.recall)
  const itself =
    selfRecall === undefined
      ? undefined
      : html`, and <strong>${(100 * selfRecall).toFixed(2)}%</strong> of sampled vectors themselves`
  return html` <section id="summary" aria-labelledby="summary-title">
    <h2 id="summary-title">What was built</h2>
    ${stateBanner(facts)}
    <p class="lead">
      An index of <strong>${plural(count, 'vector')}</strong> of ${plural(report.dimensions, 'dimension')},
      ${report.metric}${quantization === 'f32' ? undefined : ` with ${quantization} quantization`}, in
      <strong>${tookText(seconds)}</strong>. A search with ef 64 finds
      <strong class="state-figure">${(100 * own.recall).toFixed(2)}%</strong> of the ten nearest
      neighbours${itself}.${skipped > 0 ? ` ${plural(skipped, 'vector')} ${skipped === 1 ? 'was' : 'were'} skipped.` : undefined}
    </p>
    <dl class="tiles">
      ${tilesOf(facts, own).map(
        ({ name, value, note, state }) =>
          html`<div class="${state ?? 'plain'}">
            <dt>${name}</dt>
            <dd><span class="figure">${value}</span> <span class="remark">${note}</span></dd>
          </div> `,
      )}
    </dl>
  </section>`
}

const HEADLINES: Readonly<Record<Verdict, string>> = {
  good: 'Searches find what they should.',
  fair: 'Searches miss some of what they should find.',
  poor: 'Searches miss much of what they should find.',
}

/** The verdict in a word, a sign and a colour, its rule, and what to try when it is not good. */
function stateBanner(facts: SummaryFacts): Html {
  const verdict = pageVerdict(facts)
  const word = verdict.charAt(0).toUpperCase() + verdict.slice(1)
  const advice =
    verdict === 'good'
      ? undefined
      : html`<p>Try ${given(lowRecallAdvice(facts.manifest.report, shellWord(facts.path)))}.</p>`
  return html`<div class="state">
    <p class="state-word"><span aria-hidden="true">${VERDICT_SIGNS[verdict]}</span> ${word}</p>
    <div>
      <p class="state-line">${HEADLINES[verdict]}</p>
      ${advice}
      <p class="remark">${VERDICT_RULE}</p>
    </div>
  </div>`
}

interface Tile {
  readonly name: string
  readonly value: string
  readonly note: Content
  /** Shown in colour; the note says it in words. */
  readonly state?: 'state-tile' | 'alarm-tile'
}

/** Eight: they fill rows of four and of two. */
function tilesOf({ manifest: { report } }: SummaryFacts, own: OwnRecall): Tile[] {
  const { count, reachable, repaired, seconds, events, peakRssBytes, memoryBytes } = report
  const isAbove = peakRssBytes > memoryBytes
  return [
    { name: 'recall@10', value: own.recall.toFixed(4), note: recallRemark(own), state: 'state-tile' },
    {
      name: 'reachable',
      value: reachable === count ? 'all' : countText(reachable),
      note: `${countText(repaired)} linked by repair`,
    },
    { name: 'time', value: tookText(seconds), note: rateText(overallRate(report)).replace('/s', ' vectors/s') },
    {
      name: 'peak memory',
      value: formatByteSize(peakRssBytes),
      note: `${isAbove ? 'above its budget' : 'of a budget'} of ${formatByteSize(memoryBytes)}`,
      ...(isAbove && { state: 'alarm-tile' }),
    },
    {
      name: 'on disk',
      value: formatByteSize(report.diskBytes),
      note: `${formatByteSize(Math.round(report.diskBytes / count))} per vector`,
    },
    spillTile(report),
    threadsTile(report),
    {
      name: 'events',
      value: events.length === 0 ? 'none' : countText(events.length),
      note: events.length === 0 ? 'nothing to report' : html`<a href="#events">see below</a>`,
    },
  ]
}

function threadsTile({ seconds, workers, threads, hosts }: BuildReport): Tile {
  const busy = (busySeconds: number, of: number): string =>
    `busy ${Math.round(100 * Math.min(1, busySeconds / Math.max(0.001, seconds * of)))}% of the time`
  if (hosts === undefined) {
    return { name: 'worker threads', value: String(threads), note: busy(workers.busySeconds, threads) }
  }
  const all = hostFacts(hosts)
  return {
    name: 'hosts',
    value: countText(all.working.length),
    note:
      all.threads === undefined
        ? plural(all.tasks, 'task')
        : `${plural(all.threads, 'thread')}, ${busy(all.busySeconds, all.threads)}`,
  }
}

/** Rows and ids for a resumed build are written in any case: they do not say that memory was short. */
function spillTile({ spilledBytes, resumeBytes }: BuildReport): Tile {
  const needed = spilledBytes - (resumeBytes ?? 0)
  const note =
    spilledBytes <= 0 || resumeBytes === undefined
      ? 'written by queues'
      : needed <= 0
        ? 'only so that the build can be resumed'
        : `${formatByteSize(needed)} for want of memory`
  return { name: 'temporary files', value: spilledBytes > 0 ? formatByteSize(spilledBytes) : 'nothing', note }
}

function recallRemark({ interval, queries }: OwnRecall): string {
  const likely = interval === undefined ? '' : `, ${intervalText(interval)} with 95% certainty`
  return `at ef 64, ${countText(queries)} vectors of the index against exact search${likely}`
}
