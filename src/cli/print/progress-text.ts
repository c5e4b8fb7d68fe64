import { formatByteSize } from '../../memory/byte-size.js'
import type { MeasureProgress } from '../../api/measure.js'
import type { ProgressEvent } from '../../api/build.js'
import type { ExportProgress } from '../../api/interop.js'
import { countText, plural, rateText, waitText } from '../../report/number-text.js'

/** The progress line of a build: stage, done/total, rate, ETA, RSS/budget, pressure, hosts, spilled; without unknown parts. */
export function progressText(event: ProgressEvent): string {
  const { stage, done, total, unit, rate, etaSeconds, rssBytes, budgetBytes, spilledBytes, pressure, hosts } = event
  const parts: string[] = [stage]
  if (unit !== '') {
    parts.push(total === undefined ? `${countText(done)} ${unit}` : `${countText(done)}/${countText(total)} ${unit}`)
    if (total !== undefined && total > 0) parts.push(`${Math.floor((100 * done) / total)}%`)
    if (done > 0) parts.push(rateText(rate))
    if (etaSeconds !== undefined && total !== undefined && done < total) parts.push(`ETA ${waitText(etaSeconds)}`)
  }
  const pressed = pressure === 'normal' ? '' : ` (${pressure})`
  parts.push(`RSS ${formatByteSize(rssBytes)}/${formatByteSize(budgetBytes)}${pressed}`)
  if (hosts !== undefined) parts.push(hostsText(hosts))
  if (spilledBytes > 0) parts.push(`spilled ${formatByteSize(spilledBytes)}`)
  return parts.join('  ')
}

function hostsText(hosts: NonNullable<ProgressEvent['hosts']>): string {
  if (hosts.length === 0) return 'no host'
  const running = hosts.reduce((sum, host) => sum + host.running, 0)
  return `${plural(hosts.length, 'host')} with ${plural(running, 'task')}`
}

export function verifyProgressText(progress: { name: string; bytesChecked: number; totalBytes: number }): string {
  const { name, bytesChecked, totalBytes } = progress
  const percent = totalBytes === 0 ? 100 : Math.min(100, Math.floor((100 * bytesChecked) / totalBytes))
  return `verify  ${name}  ${formatByteSize(bytesChecked)}/${formatByteSize(totalBytes)}  ${percent}%`
}

export function exportProgressText({ bytesWritten, totalBytes }: ExportProgress): string {
  const percent = totalBytes === 0 ? 0 : Math.min(100, Math.floor((100 * bytesWritten) / totalBytes))
  return `export  ${formatByteSize(bytesWritten)}/${formatByteSize(totalBytes)}  ${percent}%`
}

export function measureProgressText({ stage, ef, done, total }: MeasureProgress): string {
  const what = stage === 'exact' ? 'exact search' : `search with ef ${ef ?? ''}`
  const unit = stage === 'exact' ? 'vectors' : 'queries'
  return `${what}  ${countText(done)}/${countText(total)} ${unit}  ${Math.floor((100 * done) / Math.max(1, total))}%`
}
