import { InvalidOptionError } from '../errors.js'

const UNIT_BYTES: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
  tib: 1024 ** 4,
}

/**
 * Bytes from a number or from text such as '2GB', '512MiB', '1.5g'. GB is 10^9, GiB (and the bare letter G, as in
 * cgroups and JVMs) is 2^30. Undefined for anything but a size above 0.
 */
export function byteSize(size: number | string): number | undefined {
  if (typeof size === 'number') return Number.isFinite(size) && size > 0 ? Math.floor(size) : undefined
  const match = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(size)
  const unit = match === null ? undefined : UNIT_BYTES[match[2].toLowerCase()]
  const bytes = match === null || unit === undefined ? 0 : Math.floor(Number(match[1]) * unit)
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined
}

/** @throws InvalidOptionError that names `what`, for anything but a size above 0 */
export function parseByteSize(size: number | string, what: string): number {
  const bytes = byteSize(size)
  if (bytes !== undefined) return bytes
  throw new InvalidOptionError(
    typeof size === 'number'
      ? `${what} must be a positive number of bytes, got ${size}`
      : `${what} must be a size such as 512MB, 2GB or 1.5GiB, got ${JSON.stringify(size)}`,
  )
}

/** Three significant digits and a decimal unit: 1234567 → '1.23 MB'. */
export function formatByteSize(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`
}
