/** The frame of a running build, as lines that never wrap. Pure. */
import { formatByteSize } from '../../memory/byte-size.js'
import type { ProgressEvent } from '../../api/build.js'
import type { Colour, Paint } from './colour.js'
import { countText, plural, rateText, tookText, waitText } from '../../report/number-text.js'
import type { FinishedStage } from './stage-clock.js'

export interface Look {
  readonly columns: number
  readonly paint: Paint
  /** Only ASCII, for terminals that may lack other characters. */
  readonly ascii: boolean
}

/** A part of a line and its colour. */
type Span = readonly [text: string, colour?: Colour]

const NAME_WIDTH = 'upper levels'.length
const PRESSURE_COLOURS: Readonly<Record<ProgressEvent['pressure'], Colour | undefined>> = {
  normal: undefined,
  elevated: 'yellow',
  high: 'yellow',
  critical: 'red',
}

/** Finished stages with their times; the progress of the running one; memory and disk in use. */
export function frameLines(finished: readonly FinishedStage[], event: ProgressEvent | undefined, look: Look): string[] {
  const lines = finished.map((stage) => stageLine(stage, look.ascii ? 'ok' : '✔', 'green'))
  if (event !== undefined) lines.push(...runningLines(event, look))
  return lines.map((line) => fit(line, look))
}

/** The frame that stays when the build has ended; a running stage is the one that failed. */
export function lastFrameLines(
  finished: readonly FinishedStage[],
  failed: FinishedStage | undefined,
  look: Look,
): string[] {
  const lines = failed === undefined ? [] : [fit(stageLine(failed, look.ascii ? 'x' : '✖', 'red'), look)]
  return [...frameLines(finished, undefined, look), ...lines]
}

function stageLine({ name, seconds }: FinishedStage, mark: string, colour: Colour): Span[] {
  return [[`${mark.padEnd(2)}`, colour], [name.padEnd(NAME_WIDTH)], [tookText(seconds).padStart(12), 'dim']]
}

function runningLines(event: ProgressEvent, { columns, ascii }: Look): Span[][] {
  const { stage, done, total, unit, rate, etaSeconds, rssBytes, budgetBytes, pressure, spilledBytes } = event
  const head: Span[] = [
    [ascii ? '> ' : '▸ ', 'cyan'],
    [stage.padEnd(NAME_WIDTH), 'bold'],
  ]
  const counts: string[] = []
  if (unit !== '') {
    const share = total === undefined || total === 0 ? undefined : Math.min(1, done / total)
    if (share !== undefined) {
      const width = columns >= 70 ? 24 : columns >= 48 ? 12 : 0
      if (width > 0) head.push(['  '], ...bar(share, width, ascii))
      head.push([`  ${String(Math.floor(100 * share)).padStart(3)}%`])
      if (etaSeconds !== undefined && share < 1) head.push([`  ETA ${waitText(etaSeconds)}`])
    }
    counts.push(
      total === undefined ? `${countText(done)} ${unit}` : `${countText(done)} of ${countText(total)} ${unit}`,
    )
    if (done > 0) counts.push(rateText(rate))
  }
  const memory: Span[] = [
    [`  memory ${formatByteSize(rssBytes)} of ${formatByteSize(budgetBytes)}, `, 'dim'],
    [`pressure ${pressure}`, PRESSURE_COLOURS[pressure] ?? 'dim'],
  ]
  const hosts = event.hosts === undefined ? [] : hostLines(event.hosts)
  const spilled = spilledBytes > 0 ? `${formatByteSize(spilledBytes)} spilled, ` : ''
  return [
    head,
    ...(counts.length > 0 ? [[[`  ${counts.join(', ')}`, 'dim'] as const]] : []),
    ...hosts,
    memory,
    [[`  ${spilled}${waitText(event.elapsedSeconds)} so far`, 'dim']],
  ]
}

/** Beyond that a screen has no room: the rest is counted. */
const MAX_HOSTS = 8

/** The hosts of a build and their tasks; of many, those that run most. */
function hostLines(hosts: NonNullable<ProgressEvent['hosts']>): Span[][] {
  if (hosts.length === 0) return [[['  no host yet: shardloom worker starts one', 'yellow']]]
  const running = hosts.reduce((sum, host) => sum + host.running, 0)
  const shown = hosts.length <= MAX_HOSTS ? hosts : busiest(hosts)
  const width = Math.max(...shown.map(({ host }) => host.length))
  const lines = shown.map((host): Span[] => [
    [`    ${host.host.padEnd(width)}  ${countText(host.running)} running, ${countText(host.done)} done`, 'dim'],
  ])
  const rest = hosts.length - shown.length
  return [
    [[`  ${plural(hosts.length, 'host')}, ${plural(running, 'task')} running`, 'dim']],
    ...lines,
    ...(rest > 0 ? [[[`    and ${countText(rest)} more`, 'dim'] as const]] : []),
  ]
}

function busiest(hosts: NonNullable<ProgressEvent['hosts']>): NonNullable<ProgressEvent['hosts']> {
  const kept = new Set([...hosts].sort((a, b) => b.running - a.running).slice(0, MAX_HOSTS))
  return hosts.filter((host) => kept.has(host))
}

function bar(share: number, width: number, ascii: boolean): Span[] {
  const full = Math.floor(share * width)
  return [
    [(ascii ? '#' : '█').repeat(full), 'cyan'],
    [(ascii ? '.' : '░').repeat(width - full), 'dim'],
  ]
}

/** Cut one column short of the screen: a line that wraps cannot be rewritten. Every character is one column wide. */
function fit(line: readonly Span[], { columns, paint }: Look): string {
  let left = Math.max(0, columns - 1)
  let text = ''
  for (const [part, colour] of line) {
    const shown = part.slice(0, left)
    left -= shown.length
    text += colour === undefined || shown === '' ? shown : paint(colour, shown)
  }
  return text
}
