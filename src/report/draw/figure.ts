import { html, type Content, type Html } from './html.js'
import { table, type TableShape } from './table.js'

export interface FigureShape {
  /** Of letters and dashes; once in a page. */
  readonly id: string
  readonly title: string
  /** What to see in it: one or two sentences. */
  readonly caption: Content
  /** The drawing, as often as there are widths it is drawn for; the page shows one. */
  readonly drawings: readonly Html[]
  /** The same in numbers, for those who cannot see it or want them. */
  readonly data: TableShape
  /** The numbers are few and worth seeing: they stand beside the drawing. */
  readonly isBeside?: boolean
}

/** A chart with a heading, a caption, and its numbers one click away. */
export function figure({ id, title, caption, drawings, data, isBeside = false }: FigureShape): Html {
  const body = isBeside
    ? html`<div class="beside">
        <div>${drawings}</div>
        ${table(data)}
      </div>`
    : html`${drawings}
        <details>
          <summary>${title}, in numbers</summary>
          ${table(data)}
        </details>`
  return html` <figure id="${id}" aria-labelledby="${id}-title">
    <figcaption>
      <h3 id="${id}-title">${title}</h3>
      <p>${caption}</p>
    </figcaption>
    ${body}
  </figure>`
}
