// Makes the binary files of examples/data out of a folder with the full data sets:
//   node scripts/make-example-data.mjs FOLDER
// FOLDER holds sift100k_base.bvecs, sift_query.bvecs, wordnet5k_nouns.npy and wordnet5k_nouns_ids.txt.
import { copyFileSync, chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import path from 'node:path'

const BASE_ROWS = 10_000
const QUERY_ROWS = 100
const NEIGHBOURS = 100
const DIMENSIONS = 128
const ROW_BYTES = 4 + DIMENSIONS

const out = fileURLToPath(new URL('../examples/data/', import.meta.url))

/** The first `count` rows of a bvecs file, as they are. */
function firstRows(file, count) {
  const bytes = readFileSync(file)
  if (bytes.length < count * ROW_BYTES) throw new Error(`${file}: ${bytes.length} bytes hold fewer than ${count} rows`)
  const rows = bytes.subarray(0, count * ROW_BYTES)
  for (let at = 0; at < rows.length; at += ROW_BYTES) {
    const d = rows.readInt32LE(at)
    if (d !== DIMENSIONS) throw new Error(`${file}: row ${at / ROW_BYTES} has d = ${d}, expected ${DIMENSIONS}`)
  }
  return rows
}

function squaredL2(a, aRow, b, bRow) {
  let sum = 0
  for (let i = 4; i < ROW_BYTES; i++) {
    const difference = a[aRow * ROW_BYTES + i] - b[bRow * ROW_BYTES + i]
    sum += difference * difference
  }
  return sum
}

/** ivecs: per query its exact nearest base rows, squared l2 ascending, equal distances by lower row. */
function groundTruth(base, queries) {
  const bytes = Buffer.alloc(QUERY_ROWS * 4 * (1 + NEIGHBOURS))
  let at = 0
  for (let query = 0; query < QUERY_ROWS; query++) {
    const distances = Array.from({ length: BASE_ROWS }, (_, row) => squaredL2(queries, query, base, row))
    const nearest = distances.map((_, row) => row).sort((a, b) => distances[a] - distances[b] || a - b)
    at = bytes.writeInt32LE(NEIGHBOURS, at)
    for (const row of nearest.slice(0, NEIGHBOURS)) at = bytes.writeInt32LE(row, at)
  }
  return bytes
}

const [folder] = process.argv.slice(2)
if (folder === undefined) {
  console.error('usage: node scripts/make-example-data.mjs FOLDER')
  process.exit(2)
}
for (const name of ['wordnet5k_nouns.npy', 'wordnet5k_nouns_ids.txt']) {
  copyFileSync(path.join(folder, name), path.join(out, name))
  // The copy takes the mode of the original, which may be read-only.
  chmodSync(path.join(out, name), 0o644)
}
const base = firstRows(path.join(folder, 'sift100k_base.bvecs'), BASE_ROWS)
const queries = firstRows(path.join(folder, 'sift_query.bvecs'), QUERY_ROWS)
writeFileSync(path.join(out, 'sift10k_base.bvecs'), base)
writeFileSync(path.join(out, 'sift10k_query.bvecs'), queries)
writeFileSync(path.join(out, 'sift10k_gt.ivecs'), groundTruth(base, queries))
