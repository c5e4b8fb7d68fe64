import { html, type Content, type Html } from './html.js'

export interface TableShape {
  /** What the table holds, for screen readers. */
  readonly name: string
  readonly head: readonly string[]
  /** The first cell of each row is its heading. */
  readonly rows: readonly (readonly Content[])[]
  /** Indexes of columns of text; the others are numbers, aligned right. */
  readonly text?: readonly number[]
}

/** A table that scrolls in its box, also by keyboard, when it is wider than the page. */
export function table({ name, head, rows, text = [] }: TableShape): Html {
  const kind = (column: number): string => (column === 0 || text.includes(column) ? 'text' : 'number')
  const cell = (content: Content, column: number): Html =>
    column === 0
      ? html`<th scope="row" class="text">${content}</th>`
      : html`<td class="${kind(column)}">${content}</td>`
  return html`<div class="scroll" role="region" aria-label="${name}" tabindex="0">
    <table class="data">
      <thead>
        <tr>
          ${head.map((title, column) => html`<th scope="col" class="${kind(column)}">${title}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map(cell)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`
}

/** Names and values, one pair a line. */
export function facts(rows: readonly (readonly [string, Content])[]): Html {
  return html`<dl class="facts">
    ${rows.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div> `,
    )}
  </dl>`
}
