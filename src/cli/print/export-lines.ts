import type { ExportReport } from '../../interop/export-index.js'
import { formatByteSize } from '../../memory/byte-size.js'
import { countText, plural, tookText } from '../../report/number-text.js'
import { shellWord } from '../../report/shell-word.js'
import { tableLines } from './table-lines.js'

/** Where the ids are, when the file's labels are not the ids. */
export function idsNote({ format, idsFile = '' }: ExportReport): string {
  return format === 'fvecs'
    ? `rows are in the order of the index; line n of ${idsFile}, from 0, is the id of row n`
    : `not all ids are integers from 0 on, so labels are nodes; line n of ${idsFile}, from 0, is the id of label n`
}

export function exportSummary(report: ExportReport): string[] {
  const { format, out, idsFile, fieldsFile, count, dimensions, metric, m, generation, bytes, seconds } = report
  const rows = [
    ['vectors', `${countText(count)} x ${dimensions}, ${metric} (${generation})`],
    ['file', `${out} (${format}${format === 'fvecs' ? '' : `, m ${m}`}, ${formatByteSize(bytes)})`],
    ['ids', idsFile ?? "the file's labels"],
    ...(fieldsFile === undefined ? [] : [['fields', fieldsFile]]),
    ['time', tookText(seconds)],
  ]
  return [...tableLines(rows), '', `next: ${nextStep(report)}`]
}

function nextStep({ format, out, space = '', dimensions }: ExportReport): string {
  const file = JSON.stringify(out)
  switch (format) {
    case 'hnswlib':
      return `index = hnswlib.Index(space='${space}', dim=${dimensions}); index.load_index(${file})   # Python`
    case 'usearch':
      return `index = usearch.index.Index.restore(${file}, view=True)   # Python`
    case 'fvecs':
      return `shardloom build ${shellWord(out)} --ids ${shellWord(`${out}.ids.jsonl`)} --out DIR`
  }
}

export function leftOutText(changes: number): string {
  return `the file is of the last build: ${plural(changes, 'change')} since then ${changes === 1 ? 'is' : 'are'} not in it`
}
