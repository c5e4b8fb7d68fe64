import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** SHA-256 of all segment files of an index's live generation: equal bytes, equal digest. */
export function indexDigest(indexDir) {
  const generation = path.join(indexDir, readFileSync(path.join(indexDir, 'CURRENT'), 'utf8').trim())
  const hash = createHash('sha256')
  const segments = readdirSync(generation).filter((name) => name.endsWith('.seg'))
  for (const name of segments.sort()) hash.update(name).update(readFileSync(path.join(generation, name)))
  return hash.digest('hex')
}
