/** Markup that is written into a page as it is; other content is escaped. Only `html` and `markup` make it. */
export class Html {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text
  }
}

export type Content = Html | string | number | undefined | readonly Content[]

/**
 * A template whose values are escaped, whatever their source. Attributes must be in double quotes. The items of a list
 * are concatenated; `undefined` is empty.
 */
export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Html {
  // A page does not need the indentation of the source.
  const parts = strings.map((string) => string.replace(/\s*\n\s*/g, '\n'))
  return new Html(parts.map((part, i) => (i === 0 ? part : written(values[i - 1]) + part)).join(''))
}

/** Markup from this program, as the style sheet: never text from outside. */
export function markup(text: string): Html {
  return new Html(text)
}

/**
 * Text from the caller: a path, an id, a message. Isolated, so that characters in it that change the direction of
 * writing have no effect after it.
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

/** All control characters but tabs and line feeds, which are white space. */
const UNSHOWABLE = /(?![\t\n])[\p{Control}\p{Surrogate}\ufffe\uffff]/gu

/** Control characters, which HTML cannot express, and unpaired surrogates become U+FFFD. */
export function escapeText(text: string): string {
  return text.replace(UNSHOWABLE, '\ufffd').replace(/[&<>"']/g, (character) => ESCAPES[character])
}

/** Two digits are finer than a pixel. NaN and infinities become 0; numbers far beyond any chart are clamped. */
function coordinate(value: number): string {
  if (!Number.isFinite(value)) return '0'
  const rounded = Math.round(value * 100) / 100
  return Math.abs(rounded) < 1e15 ? String(rounded) : String(1e15 * Math.sign(rounded))
}
