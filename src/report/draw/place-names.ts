import { innerBottom, innerRight, type Frame } from './drawing.js'
import { textWidth } from './text-width.js'

export interface NamedDot {
  readonly text: string
  readonly x: number
  readonly y: number
}

export interface PlacedName {
  readonly text: string
  readonly left: number
  readonly middle: number
}

const TEXT_HEIGHT = 15
const DOT_ROOM = 11

interface Box {
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

/**
 * Places each name beside its dot where it overlaps no other name and no dot, trying from near to far, right and left.
 * A name that fits nowhere is left out; the table has it.
 */
export function placeNames(dots: readonly NamedDot[], frame: Frame): PlacedName[] {
  const taken = dots.map(({ x, y }): Box => ({ left: x - 5, right: x + 5, top: y - 5, bottom: y + 5 }))
  const placed: PlacedName[] = []
  for (const { text, x, y } of dots) {
    const width = textWidth(text)
    for (const [dx, dy] of OFFSETS) {
      const left = dx > 0 ? x + DOT_ROOM : x - DOT_ROOM - width
      const middle = y + dy * TEXT_HEIGHT
      const box = { left, right: left + width, top: middle - TEXT_HEIGHT / 2, bottom: middle + TEXT_HEIGHT / 2 }
      if (!isInside(box, frame) || taken.some((other) => overlap(box, other))) continue
      taken.push(box)
      placed.push({ text, left, middle })
      break
    }
  }
  return placed
}

/** The side (1 is right), and lines of text down. */
const OFFSETS = [0, -0.6, 0.6, -1.1, 1.1, -1.7, 1.7].flatMap((dy) => [
  [1, dy],
  [-1, dy],
])

function isInside({ left, right, top, bottom }: Box, frame: Frame): boolean {
  return left >= frame.left && right <= innerRight(frame) + frame.right && top >= 0 && bottom <= innerBottom(frame)
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}
