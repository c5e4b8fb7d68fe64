import type { NearLeaf } from '../../fields/filter-node.js'
import { greatCircleKm } from '../../fields/values/great-circle.js'
import type { Zones } from '../../format/fields/zone-maps.js'
import { zonesWithin } from './values/fixed-column.js'
import type { Piece } from './scan-loops.js'

const EARTH_KM = 6371.0088
const DEGREES = 180 / Math.PI
/** Degrees that a box is larger than its circle: what the formula of the distance may be off by, many times over. */
const SLACK = 1e-6

/** Degrees of latitude and longitude around a place within which all places of a circle are. */
export interface NearBox {
  readonly lat: number
  readonly lon: number
}

export function boxAround({ lat, km }: Pick<NearLeaf, 'lat' | 'km'>): NearBox {
  const angle = km / EARTH_KM
  const box = angle * DEGREES + SLACK
  // A circle with a pole in it has places of every longitude.
  if (!(Math.abs(lat) + box < 90)) return { lat: box, lon: 180 }
  return { lat: box, lon: Math.asin(Math.min(1, Math.sin(angle) / Math.cos(lat / DEGREES))) * DEGREES + SLACK }
}

/** Zones that may have a place in the circle: 1. */
export function zonesNear(zones: Zones, { lat, lon }: NearLeaf, box: NearBox): Uint8Array {
  const wanted = zonesWithin(zones, lat - box.lat, lat + box.lat, { number: 0, width: 2 })
  // Beyond the date line longitudes begin anew.
  if (lon - box.lon < -180 || lon + box.lon > 180) return wanted
  const byLon = zonesWithin(zones, lon - box.lon, lon + box.lon, { number: 1, width: 2 })
  for (let zone = 0; zone < wanted.length; zone++) wanted[zone] &= byLon[zone]
  return wanted
}

/** Sets the bits of places in the circle. Values: latitude and longitude by row, NaN when missing. */
export function keepNear(
  values: Float64Array,
  { from, words, firstWord }: Piece,
  { lat, lon, km, box }: NearLeaf & { readonly box: NearBox },
  bits: Uint32Array,
): void {
  const low = lat - box.lat
  const high = lat + box.lat
  for (let word = 0, at = from; word < words; word++, at += 64) {
    let inside = 0
    for (let i = 0; i < 32; i += 4) {
      const a = values[at + 2 * i]
      const b = values[at + 2 * i + 2]
      const c = values[at + 2 * i + 4]
      const d = values[at + 2 * i + 6]
      inside |=
        ((+(a >= low) & +(a <= high)) |
          ((+(b >= low) & +(b <= high)) << 1) |
          ((+(c >= low) & +(c <= high)) << 2) |
          ((+(d >= low) & +(d <= high)) << 3)) <<
        i
    }
    for (; inside !== 0; inside &= inside - 1) {
      const i = 31 - Math.clz32(inside & -inside)
      const placeLat = values[at + 2 * i]
      const placeLon = values[at + 2 * i + 1]
      const apart = Math.abs(placeLon - lon)
      if (!(Math.min(apart, 360 - apart) <= box.lon)) continue
      if (greatCircleKm(lat, lon, placeLat, placeLon) <= km) bits[firstWord + word] |= 1 << i
    }
  }
}

/** Sets the bits of all places. */
export function keepPlaces(values: Float64Array, { from, words, firstWord }: Piece, bits: Uint32Array): void {
  for (let word = 0, at = from; word < words; word++) {
    let kept = 0
    for (let i = 0; i < 32; i++, at += 2) kept |= +(values[at] === values[at]) << i
    bits[firstWord + word] |= kept
  }
}
