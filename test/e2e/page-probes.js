/* global document, innerWidth, getComputedStyle, HTMLElement, axe */
/** What the test of the report page asks in the browser. Each function is sent there: it uses nothing from around it. */

export function openDetails() {
  for (const one of document.querySelectorAll('details')) one.open = true
}

export function pageWidth() {
  return document.documentElement.scrollWidth
}

/** What is seen, or would be, to the left or right of the screen; what a box scrolls is not. */
export function partsBeyondScreen() {
  return [...document.querySelectorAll('svg text, svg rect, svg path, dd, h1, h2, h3, p, summary, .tiles')]
    .map((one) => ({ one, box: one.getBoundingClientRect() }))
    .filter(({ one, box }) => one.closest('.scroll') === null && (box.left < -0.5 || box.right > innerWidth + 0.5))
    .map(({ one, box }) => `${one.textContent} (${box.left} to ${box.right})`)
}

/** Texts of a drawing that lie on each other. */
export function overlappingLabels() {
  return [...document.querySelectorAll('svg')].flatMap((svg) => {
    const labels = [...svg.querySelectorAll('text')].map((one) => ({
      text: one.textContent,
      box: one.getBoundingClientRect(),
    }))
    return labels.flatMap(({ text, box }, i) =>
      labels
        .slice(i + 1)
        .filter(({ box: other }) => {
          const wide = Math.min(box.right, other.right) - Math.max(box.left, other.left)
          const high = Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top)
          // Line boxes are higher than their letters.
          return wide > 1 && high > 0.45 * box.height
        })
        .map(({ text: other }) => `${svg.closest('figure').id}: ${text} and ${other}`),
    )
  })
}

export function figureDrawings() {
  return [...document.querySelectorAll('figure')].map((figure) => {
    const shown = [...figure.querySelectorAll('svg')].filter((svg) => getComputedStyle(svg).display !== 'none')
    const heights = shown.flatMap((svg) =>
      [...svg.querySelectorAll('text')].map((text) => text.getBoundingClientRect().height),
    )
    return { id: figure.id, drawings: shown.length, least: Math.min(...heights), most: Math.max(...heights) }
  })
}

export async function axeFindings() {
  const { violations, passes } = await axe.run()
  return {
    passes: passes.map(({ id }) => id),
    violations: violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join('; ')}`),
  }
}

export function backgroundColor() {
  return getComputedStyle(document.body).backgroundColor
}

export function tileFigures() {
  return Object.fromEntries(
    [...document.querySelectorAll('.tiles > div')].map((tile) => [
      tile.querySelector('dt').textContent,
      tile.querySelector('.figure').textContent,
    ]),
  )
}

/** Cells of the data table of a figure or section. */
export function tableRows(id) {
  return [...document.querySelectorAll(`#${id} table.data tbody tr`)].map((row) =>
    [...row.children].map((cell) => cell.textContent),
  )
}

/** The last element of each that is selected. */
export function lastParts(selector) {
  return [...document.querySelectorAll(selector)].map((one) => one.lastElementChild.textContent)
}

export function heightsOf(selector) {
  return [...document.querySelectorAll(selector)].map((one) => Number(one.getAttribute('height')))
}

/** Where the keyboard is. */
export function focused() {
  const one = document.activeElement
  const { left, right } = one.getBoundingClientRect()
  const { outlineStyle, outlineWidth } = getComputedStyle(one)
  return {
    name: one instanceof HTMLElement ? one.tagName : '',
    text: one.textContent.trim().slice(0, 40),
    isOnScreen: left >= 0 && right <= innerWidth,
    outline: `${outlineWidth} ${outlineStyle}`,
  }
}
