/** HTML and SVG as values: what goes into a page is escaped unless it is markup already. */

/** Markup that may stand in a page as it is. Only `html` and `markup` make it. */
export class Html {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text
  }
}

export type Content = Html | string | number | undefined | readonly Content[]

/**
 * A template whose values are escaped, so that text is text wherever it came from. Attributes must be in double quotes.
 * Lists are written one after the other; `undefined` is nothing.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  // The indentation of sources is of no use in a page.
  const parts = strings.map((string) => string.replace(/\s*\n\s*/g, '\n'))
  return new Html(parts.map((part, i) => (i === 0 ? part : written(values[i - 1]) + part)).join(''))
}

/** Text of this program's own, which is markup: a style sheet. */
export function markup(text: string): Html {
  return new Html(text)
}

/**
 * Text of the caller's: a path, an id, a message. Isolated, so that marks in it that turn the direction of writing end
 * with it.
 */
export function given(text: string): Html {
  return html`<bdi>${text}</bdi>`
}

function written(value: Content): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return escapeText(value)
  if (typeof value === 'number') return escapeText(coordinate(value))
  if (value instanceof Html) return value.text
  return value.map(written).join('')
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Tabs and line ends are blanks. */
const UNSHOWABLE = /(?![\t\n])[\p{Control}\p{Surrogate}\ufffe\uffff]/gu

/** Control characters, which HTML has no way to say, are shown as the sign for what cannot be shown; so are halves of pairs. */
export function escapeText(text: string): string {
  return text.replace(UNSHOWABLE, '\ufffd').replace(/[&<>"']/g, (character) => ESCAPES[character])
}

/** Two digits are finer than a pixel. Beyond every chart: a number that is none, or too large to be drawn. */
function coordinate(value: number): string {
  if (!Number.isFinite(value)) return '0'
  const rounded = Math.round(value * 100) / 100
  return Math.abs(rounded) < 1e15 ? String(rounded) : String(1e15 * Math.sign(rounded))
}
