/** Text of schemas and comments as cells of a Markdown table. */

export const code = (text) => `\`${text}\``

/** Begins with a capital, ends with a full stop. */
export function sentence(text) {
  if (text === '') return ''
  const ended = /[.!?]$/.test(text) ? text : `${text}.`
  return quotedAsCode(ended.replace(/^[a-z](?![A-Z\d])/, (letter) => letter.toUpperCase()))
}

/** 'l2' is a value: `'l2'`. Text that is code already stays. */
export function quotedAsCode(text) {
  return text
    .split(/(`[^`]*`)/)
    .map((part) => (part.startsWith('`') ? part : part.replace(/'([\w.-]+)'/g, "`'$1'`")))
    .join('')
}

/** The lines of a table, which prettier aligns. */
export function tableText({ head, rows }) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
