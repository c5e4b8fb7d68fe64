/** The mean radius of the earth. */
const EARTH_KM = 6371.0088

const RADIANS = Math.PI / 180

/** Kilometres between two places, given in degrees, on a sphere: the haversine formula. */
export function greatCircleKm(lat1: number, lon1: number, lat2: number, lon2: number): number {
  const byLat = Math.sin(((lat2 - lat1) * RADIANS) / 2) ** 2
  const byLon = Math.sin(((lon2 - lon1) * RADIANS) / 2) ** 2
  const squared = byLat + Math.cos(lat1 * RADIANS) * Math.cos(lat2 * RADIANS) * byLon
  return 2 * EARTH_KM * Math.asin(Math.sqrt(Math.min(1, squared)))
}
