/** Builds the same index again and again, and prints a line for each: a checksum over its segments. */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { buildIndex, openVectorFile } from '../../dist/src/index.js'

const [input, path, times] = process.argv.slice(2)
for (let i = 0; i < Number(times); i++) {
  const file = await openVectorFile(input)
  const report = await buildIndex(file.batches(), { path, threads: 2, engine: 'hnswlib-wasm', memory: '1GB' })
  await file.close()
  const folder = join(path, report.generation)
  const hash = createHash('sha256')
  for (const name of readdirSync(folder).sort()) {
    if (name.endsWith('.seg')) hash.update(readFileSync(join(folder, name)))
  }
  console.log(hash.digest('hex'))
}
