/** Encodes and parses manifest.json. */
import { internStrings } from '../../runtime/interned.js'
import { CorruptIndexError } from '../../errors.js'
import { checkManifest } from './check-manifest.js'
import { MANIFEST_NAME, MAX_MANIFEST_BYTES, type Manifest } from './manifest.js'

/** The report's lists of objects nest 4 levels deep. */
const MAX_NESTING = 16

/** The bytes of manifest.json. @throws CorruptIndexError when a reader would refuse them */
export function encodeManifest(manifest: Manifest, path: string = MANIFEST_NAME): Uint8Array {
  const bytes = new TextEncoder().encode(`${JSON.stringify(onDisk(manifest), undefined, 2)}\n`)
  parseManifest(bytes, path)
  return bytes
}

/** Format 1 calls the quantization `storage`. */
function onDisk(manifest: Manifest): object {
  return Object.fromEntries(
    Object.entries(manifest).map(([name, value]) => [name === 'quantization' ? 'storage' : name, value]),
  )
}

/** @throws CorruptIndexError that names the first invalid field */
export function parseManifest(bytes: Uint8Array, path: string): Manifest {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw new CorruptIndexError(path, `the manifest has ${bytes.length} bytes, expected at most ${MAX_MANIFEST_BYTES}`)
  }
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new CorruptIndexError(path, 'this is not JSON', { cause })
  }
  // Code that shows or writes a part of it recurses.
  if (isDeeper(json, MAX_NESTING)) throw new CorruptIndexError(path, `it is nested deeper than ${MAX_NESTING}`)
  return checkManifest(internStrings(json), path)
}

function isDeeper(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner) => isDeeper(inner, levels - 1))
}
