/**
 * Reads the text format of Prometheus strictly, from its grammar: every line is HELP, TYPE or a sample; a family's lines
 * stand together, HELP and TYPE first and once; no sample is there twice; the last line ends.
 */
export interface Family {
  readonly help: string
  readonly type: string
  readonly samples: { readonly labels: Readonly<Record<string, string>>; readonly value: number }[]
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped']

export function parseExposition(text: string): Map<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line does not end')
  const families = new Map<string, Family>()
  const helps = new Map<string, string>()
  const seen = new Set<string>()
  let current = ''
  for (const line of text.slice(0, -1).split('\n')) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line)
    if (comment !== null) {
      const [, kind, name, rest] = comment
      if (!NAME.test(name)) throw new Error(`no name: ${line}`)
      if (kind === 'HELP') {
        if (helps.has(name)) throw new Error(`a second HELP: ${line}`)
        if (!/^(?:[^\\]|\\[\\n])*$/.test(rest)) throw new Error(`a bad escape: ${line}`)
        helps.set(name, rest)
      } else {
        const help = helps.get(name)
        if (help === undefined || families.has(name) || !TYPES.includes(rest)) throw new Error(`a bad TYPE: ${line}`)
        families.set(name, { help, type: rest, samples: [] })
        current = name
      }
      continue
    }
    const sample = /^([^\s{]+)(\{.*\})? (\S+)( -?\d+)?$/.exec(line)
    if (sample === null) throw new Error(`no sample: ${JSON.stringify(line)}`)
    const [, name, labelText = '{}', valueText] = sample
    const family = families.get(name)
    if (family === undefined || name !== current) throw new Error(`not under its TYPE: ${line}`)
    const labels = parseLabels(labelText.slice(1, -1), line)
    const key = `${name} ${JSON.stringify(Object.entries(labels).sort())}`
    if (seen.has(key)) throw new Error(`there twice: ${line}`)
    seen.add(key)
    family.samples.push({ labels, value: parseValue(valueText, line) })
  }
  for (const [name, { samples }] of families) if (samples.length === 0) throw new Error(`no samples: ${name}`)
  return families
}

function parseLabels(text: string, line: string): Record<string, string> {
  const labels: Record<string, string> = {}
  for (let rest = text; rest !== '';) {
    const pair = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,(?=.)|$)/.exec(rest)
    if (pair === null || pair[1] in labels) throw new Error(`bad labels: ${line}`)
    labels[pair[1]] = pair[2].replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter))
    rest = rest.slice(pair[0].length)
  }
  return labels
}

/** As Go's ParseFloat takes it. */
function parseValue(text: string, line: string): number {
  if (text === 'NaN') return Number.NaN
  if (/^[+-]?Inf$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity
  if (!/^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw new Error(`no number: ${line}`)
  return Number(text)
}
