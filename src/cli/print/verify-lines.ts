import type { VerifyReport } from '../../format/verify/verify-index.js'
import { formatByteSize } from '../../memory/byte-size.js'
import { countText, plural } from '../../report/number-text.js'

export function soundLine(path: string, report: VerifyReport): string {
  const { generation, count, filesChecked, bytesChecked, linksChecked } = report
  return (
    `ok: ${path} (${generation}): ${plural(count, 'vector')}, ${plural(filesChecked, 'file')}, ` +
    `${formatByteSize(bytesChecked)} and ${plural(linksChecked, 'link')} checked`
  )
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
