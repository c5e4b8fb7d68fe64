/** Widths of the boldest letters of charts, 13 pixels high, in the widest of usual fonts. */
const NARROW = { letters: /[ilj.,:;'|! ]/, width: 4.7 }
const SLIM = { letters: /[ftr()/-]/, width: 6.5 }
const WIDE = { letters: /[MWm%@w]/, width: 13.5 }
const OTHERS = 9.1

/** About how wide a text of a chart is, in pixels of the drawing: rather too wide than too narrow. */
export function textWidth(text: string): number {
  let width = 0
  for (const letter of text) {
    width += [NARROW, SLIM, WIDE].find(({ letters }) => letters.test(letter))?.width ?? OTHERS
  }
  return width
}

/** Of the widest of texts; 0 of none. */
export function widestText(texts: readonly string[]): number {
  return texts.reduce((widest, text) => Math.max(widest, textWidth(text)), 0)
}
