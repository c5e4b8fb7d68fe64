const ISO =
  /^([+-]\d{6}|\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)?)?$/

/**
 * Milliseconds since 1970 of a date in ISO 8601, with or without a time of day; NaN for anything else. UTC where it names
 * no zone, also with a time of day: `Date.parse` would take the machine's zone, and the same text would be another value
 * elsewhere. It would also take February 30 as March 1 or 2.
 */
export function isoDate(text: string): number {
  const parts = ISO.exec(text)
  if (parts === null) return NaN
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((at) => Number(parts[at] ?? 0))
  const fraction = Number((parts[7] ?? '').slice(0, 3).padEnd(3, '0'))
  const zone = zoneMinutes(parts[8])
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return NaN
  if (hour > 24 || minute > 59 || second > 59 || Number.isNaN(zone)) return NaN
  if (hour === 24 && minute + second + fraction > 0) return NaN
  // `Date.UTC` reads the years 0 to 99 as 1900 to 1999; the Gregorian calendar repeats after 400 years.
  const later = year < 100 ? 400 : 0
  const ms = Date.UTC(year + later, month - 1, day, hour, minute, second, fraction) - later * MS_OF_A_YEAR
  return ms - zone * 60_000
}

const MS_OF_A_YEAR = 365.2425 * 86_400_000

/** Minutes ahead of UTC, of "Z", "+02", "+0230" or "-02:30". */
function zoneMinutes(zone: string | undefined): number {
  if (zone === undefined || zone === 'Z') return 0
  const hours = Number(zone.slice(1, 3))
  const minutes = zone.length > 3 ? Number(zone.slice(-2)) : 0
  if (hours > 23 || minutes > 59) return NaN
  return (zone.startsWith('-') ? -1 : 1) * (60 * hours + minutes)
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}
