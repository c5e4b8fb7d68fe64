import { html, markup, type Html } from './html.js'

/** The mark of the product: a shard, woven of threads that go over and under each other. Without its `svg` element. */
const SHAPES =
  '<path d="M16 1.5 29.5 13 16 30.5 2.5 13z" fill-opacity=".16" stroke="none"/>' +
  '<path d="M16 1.5 29.5 13 16 30.5 2.5 13z" fill="none"/>' +
  '<path d="M10.5 6.2V8.6M10.5 13.2V20.2M16 1.5V10.9M16 15.5V30.5M21.5 6.2V8.6M21.5 13.2V20.2" fill="none"/>' +
  '<path d="M5.5 10.9H26.5M8.2 17.6H13.4M18.6 17.6H23.8" fill="none"/>'

const STROKES = 'stroke-width="2" stroke-linejoin="round" stroke-linecap="round"'

/** Beside the name of the product, which says what it is. */
export function mark(): Html {
  return html`<svg
    class="mark"
    viewBox="0 0 32 32"
    width="28"
    height="28"
    fill="currentColor"
    stroke="currentColor"
    aria-hidden="true"
  >
    <g stroke-width="2" stroke-linejoin="round" stroke-linecap="round">${markup(SHAPES)}</g>
  </svg>`
}

/** The mark as the icon of a browser tab, in a blue that is seen on light and dark. */
export const ICON = `data:image/svg+xml,${encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="#2f8fc4" stroke="#2f8fc4" ${STROKES}>${SHAPES}</svg>`,
)}`
