import type { Tuning } from '../../api/measure.js'
import type { SearchHit, TextHit } from '../../api/search.js'
import { countText, rateText } from '../../report/number-text.js'
import type { MeasuredSearch } from '../commands/measure-search.js'
import { fieldsText } from './fields-text.js'
import { tableLines } from './table-lines.js'
import { tuningText } from './tuning-text.js'

/** What `shardloom search` found and measured. */
export interface SearchReport extends MeasuredSearch {
  /** The beam width that was used. */
  readonly ef: number
  readonly recall?: number
  /** Where ef came from, when it was a stored choice or one made for --target-recall. */
  readonly tuning?: Tuning & { readonly reached: boolean }
}

/** What it found by words alone: one list. */
export interface WordsReport {
  readonly results: readonly [readonly TextHit[]]
}

/** --json prints all results. */
const SHOWN_QUERIES = 3
const SHOWN_HITS = 5

export function searchLines(report: SearchReport, { k }: { readonly k: number }): string[] {
  const { results, recall, ef, queriesPerSecond, p50Ms, p99Ms, tuning } = report
  const hidden = results.length - SHOWN_QUERIES
  const rows = [
    ['queries', `${countText(results.length)}, k ${k}, ef ${ef}`],
    ...(tuning === undefined ? [] : [['tuned', tuningText(tuning)]]),
    ...(recall === undefined ? [] : [[`recall@${k}`, recall.toFixed(4)]]),
    ['speed', `${rateText(queriesPerSecond).replace('/s', ' queries/s')}, one thread`],
    ['latency', `p50 ${p50Ms.toFixed(3)} ms, p99 ${p99Ms.toFixed(3)} ms`],
  ]
  return [
    ...results.slice(0, SHOWN_QUERIES).flatMap((hits, query) => [`query ${query}`, ...hitLines(hits)]),
    ...(hidden > 0 ? [`… and ${hidden} more; --json prints all`] : []),
    '',
    ...tableLines(rows),
  ]
}

export function wordsLines({ results: [hits] }: WordsReport): string[] {
  if (hits.length === 0) return ['nothing has these words']
  return tableLines(
    hits.map(({ id, score, fields }) => [String(id), score.toFixed(4), fieldsText(fields)]),
    [1],
  )
}

function hitLines(hits: readonly SearchHit[]): string[] {
  const shown = hits
    .slice(0, SHOWN_HITS)
    .map(({ id, distance, fields }) => ['', String(id), distanceText(distance), fieldsText(fields)])
  const rest = hits.length - shown.length
  return [...tableLines(shown, [2]), ...(rest > 0 ? [`  … ${rest} more`] : [])]
}

function distanceText(distance: number): string {
  return Math.abs(distance) >= 1000 ? distance.toFixed(0) : distance.toFixed(4)
}
