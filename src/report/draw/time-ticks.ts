import type { Tick } from './drawing.js'

/** Round durations, in seconds. */
const STEPS = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600,
  43_200, 86_400,
]

/** Round times from 0 to `seconds`: the 0 and at most `most` others. */
export function timeTicks(seconds: number, most: number): Tick[] {
  const last = STEPS[STEPS.length - 1]
  const step = STEPS.find((one) => seconds / one <= most) ?? last * Math.ceil(seconds / last / most)
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => ({
    value: i * step,
    text: timeText(i * step),
  }))
}

/** '0 s', '0.5 s', '20 s', '5 min', '1 min 30 s', '2 h', '1 h 30 min'. */
export function timeText(seconds: number): string {
  if (seconds < 60) return `${Math.round(seconds * 100) / 100} s`
  const [large, small, size] = seconds < 3600 ? ['min', 's', 60] : ['h', 'min', 3600]
  const rest = Math.round((seconds % size) / (size / 60))
  return rest === 0
    ? `${Math.floor(seconds / size)} ${large}`
    : `${Math.floor(seconds / size)} ${large} ${rest} ${small}`
}
