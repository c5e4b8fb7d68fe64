/** manifest.json as bytes. */
import { CorruptIndexError } from '../errors.js'
import { checkManifest } from './check-manifest.js'
import { MANIFEST_NAME, type Manifest } from './manifest.js'

/** The bytes of manifest.json. @throws CorruptIndexError when a reader would refuse them. */
export function encodeManifest(manifest: Manifest, path: string = MANIFEST_NAME): Uint8Array {
  const bytes = new TextEncoder().encode(`${JSON.stringify(manifest, undefined, 2)}\n`)
  parseManifest(bytes, path)
  return bytes
}

/** @throws CorruptIndexError naming the first field that is not as it must be. */
export function parseManifest(bytes: Uint8Array, path: string): Manifest {
  let json: unknown
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw new CorruptIndexError(path, 'this is not JSON', { cause })
  }
  return checkManifest(json, path)
}
