/**
 * The header of an .npy file (numpy.lib.format, versions 1 to 3): a Python dict literal with exactly the keys descr,
 * fortran_order and shape. Pure: takes text, returns fields or a reason; the reader adds path and offset.
 */

export interface NpyHeader {
  /** The dtype as written, such as '<f4'; a structured dtype keeps its brackets. */
  readonly descr: string
  readonly fortranOrder: boolean
  /** Lengths as written; as numbers they may be too large to be exact. */
  readonly shape: readonly number[]
}

// Each alternative starts with a different character, so matching is linear in the header's length.
const TOKEN = /\s*(?:'([^'\\]*)'|"([^"\\]*)"|(True|False)|(\d+)L?|([{}()[\],:]))/y

type Token = { kind: 'text' | 'word' | 'number' | 'mark'; text: string }

function tokenize(text: string): Token[] | undefined {
  const tokens: Token[] = []
  TOKEN.lastIndex = 0
  const end = text.trimEnd().length
  while (TOKEN.lastIndex < end) {
    const match = TOKEN.exec(text)
    if (match === null) return undefined
    const [, single, double, word, number, mark] = match
    if (word !== undefined) tokens.push({ kind: 'word', text: word })
    else if (number !== undefined) tokens.push({ kind: 'number', text: number })
    else if (mark !== undefined) tokens.push({ kind: 'mark', text: mark })
    else tokens.push({ kind: 'text', text: single ?? double })
  }
  return tokens
}

/** The fields, or the reason why they cannot be read. */
export function parseNpyHeader(text: string): NpyHeader | string {
  const tokens = tokenize(text)
  if (tokens === undefined) return 'it is not a Python dict of strings, booleans and tuples'
  let at = 0
  const isMark = (mark: string): boolean => tokens[at]?.kind === 'mark' && tokens[at].text === mark
  const take = (mark: string): boolean => {
    if (!isMark(mark)) return false
    at++
    return true
  }

  /** A value's tokens: one token, or all up to the bracket that closes the first one. */
  const takeValue = (): Token[] => {
    const from = at
    let depth = 0
    do {
      if (at >= tokens.length) return []
      if (tokens[at].kind === 'mark') {
        if ('([{'.includes(tokens[at].text)) depth++
        else if (')]}'.includes(tokens[at].text)) depth--
        else if (depth === 0) return []
        if (depth < 0) return []
      }
      at++
    } while (depth > 0)
    return tokens.slice(from, at)
  }

  const fields = new Map<string, Token[]>()
  if (!take('{')) return 'it does not begin with {'
  while (!isMark('}')) {
    const key = tokens.at(at++)
    if (key?.kind !== 'text' || !take(':')) return 'it is not a list of key: value pairs'
    const value = takeValue()
    if (value.length === 0) return `the value of ${JSON.stringify(key.text)} is not complete`
    if (fields.has(key.text)) return `the key ${JSON.stringify(key.text)} is given twice`
    fields.set(key.text, value)
    if (!take(',') && !isMark('}')) return 'it does not end with }'
  }
  at++
  if (at !== tokens.length) return 'something follows its }'
  return headerOf(fields)
}

function headerOf(fields: ReadonlyMap<string, readonly Token[]>): NpyHeader | string {
  const keys = [...fields.keys()].sort().join(', ')
  if (keys !== 'descr, fortran_order, shape')
    return `expected the keys descr, fortran_order, shape, got ${keys || 'none'}`
  const [descr, order, shape] = ['descr', 'fortran_order', 'shape'].map((key) => fields.get(key) ?? [])
  if (order.length !== 1 || order[0].kind !== 'word') return 'fortran_order is neither True nor False'
  const lengths = tupleOf(shape)
  if (lengths === undefined) return 'shape is not a tuple of whole numbers'
  return { descr: descr.map((token) => token.text).join(''), fortranOrder: order[0].text === 'True', shape: lengths }
}

/** (), (5,), (5, 6), (5, 6,) and so on. */
function tupleOf(tokens: readonly Token[]): number[] | undefined {
  if (tokens.at(0)?.text !== '(' || tokens.at(-1)?.text !== ')') return undefined
  const inner = tokens.slice(1, -1)
  const alternate = inner.every((token, i) => (i % 2 === 0 ? token.kind === 'number' : token.text === ','))
  // In Python (5) is a number, and (,) is invalid.
  if (!alternate || inner.length === 1) return undefined
  return inner.filter((token) => token.kind === 'number').map((token) => Number(token.text))
}
