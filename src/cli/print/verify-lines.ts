import type { VerifiedLive, VerifyReport } from '../../format/verify/verify-index.js'
import { formatByteSize } from '../../memory/byte-size.js'
import { countText, plural } from '../../report/number-text.js'

export function soundLine(path: string, report: VerifyReport): string {
  const { generation = 'not built yet', count, live, filesChecked, bytesChecked, linksChecked } = report
  return (
    `ok: ${path} (${generation}): ${plural(count, 'vector')}, ${live === undefined ? '' : changesText(live)}` +
    `${plural(filesChecked, 'file')}, ${formatByteSize(bytesChecked)} and ${plural(linksChecked, 'link')} checked`
  )
}

function changesText({ parts, rows, changes }: VerifiedLive): string {
  return `${plural(parts, 'part')} of ${plural(rows, 'row')}, ${plural(changes, 'change')} in logs, `
}

/** The end of a log that is no problem, and is said. */
export function tornLines({ live }: VerifyReport): string[] {
  const torn = live?.torn
  return torn === undefined ? [] : [`note: ${torn.path} at byte ${torn.offset ?? 0}: ${torn.reason}; no problem`]
}

export function problemLines(path: string, { problems, problemCount }: VerifyReport): string[] {
  const hidden = problemCount - problems.length
  return [
    ...problems.map(
      ({ path, offset, reason }) => `${path}${offset === undefined ? '' : ` at byte ${offset}`}: ${reason}`,
    ),
    ...(hidden > 0 ? [`… and ${countText(hidden)} more`] : []),
    `not ok: ${path}: ${plural(problemCount, 'problem')}; rebuild the index or restore it from a copy`,
  ]
}
