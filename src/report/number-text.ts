/** Numbers as text for people. */

/** 1234567 → '1,234,567'. */
export function countText(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+(?!\d))/g, ',')
}

/** A rate per second: '12,345/s', '42/s', '4.2/s', '0.42/s'. */
export function rateText(perSecond: number): string {
  if (perSecond >= 100) return `${countText(perSecond)}/s`
  if (perSecond >= 10) return `${perSecond.toFixed(0)}/s`
  return `${perSecond.toFixed(perSecond >= 1 ? 1 : 2)}/s`
}

/** A duration to wait for: '8 s', '2 min 5 s', '3 h 12 min'. */
export function waitText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60) return `${minutes} min ${whole % 60} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/** A duration that was measured: '0.42 s', '12.3 s', '2 min 5 s'. */
export function tookText(seconds: number): string {
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`
  return seconds < 59.95 ? `${seconds.toFixed(1)} s` : waitText(seconds)
}

/** 'vector', 'vectors'. */
export function plural(count: number, singular: string): string {
  return `${countText(count)} ${singular}${count === 1 ? '' : 's'}`
}
