import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** SHA-256 of all segment files of an index's live generation: equal bytes, equal digest. */
export function indexDigest(indexDir) {
  // CURRENT: the name of the generation, a blank, a checksum.
  const [name] = readFileSync(path.join(indexDir, 'CURRENT'), 'utf8').split(' ')
  const generation = path.join(indexDir, name)
  const hash = createHash('sha256')
  const segments = readdirSync(generation).filter((name) => name.endsWith('.seg'))
  for (const file of segments.sort()) hash.update(file).update(readFileSync(path.join(generation, file)))
  return hash.digest('hex')
}
