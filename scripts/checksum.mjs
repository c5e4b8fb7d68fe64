import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from './run-tool.mjs'

/** All files below a folder, in an order of names. */
export function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .sort()
}

/** A checksum of texts, and of the names (below the root folder) and contents of files. */
export function checksum(texts, files) {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(`${text}\0`)
  for (const file of files)
    hash
      .update(`${path.relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0')
  return hash.digest('hex')
}
