import { html, type Content, type Html } from './html.js'
import { table, type TableShape } from './table.js'

export interface FigureShape {
  /** Letters and dashes; unique in the page. */
  readonly id: string
  readonly title: string
  /** What it shows: one or two sentences. */
  readonly caption: Content
  /** One drawing for each width of page; the page shows one of them. */
  readonly drawings: readonly Html[]
  /** The same in numbers, for readers who cannot see the drawing or want the numbers. */
  readonly data: TableShape
  /** Shows the table beside the drawing, for few numbers that are worth seeing. */
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
