/** Letter widths of bold text of 13 pixels in the widest of the common fonts. */
const NARROW = { letters: /[ilj.,:;'|! ]/, width: 4.7 }
const SLIM = { letters: /[ftr()/-]/, width: 6.5 }
const WIDE = { letters: /[MWm%@w]/, width: 13.5 }
const OTHERS = 9.1

/** Estimated width of a text in a chart, in pixels of the drawing; rather too wide than too narrow. */
export function textWidth(text: string): number {
  let width = 0
  for (const letter of text) {
    width += [NARROW, SLIM, WIDE].find(({ letters }) => letters.test(letter))?.width ?? OTHERS
  }
  return width
}

/** Width of the widest text; 0 without texts. */
export function widestText(texts: readonly string[]): number {
  return texts.reduce((widest, text) => Math.max(widest, textWidth(text)), 0)
}
