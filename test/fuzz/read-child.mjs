/**
 * Reads one file as its arguments say, and prints the number of rows and the error's name and message. Runs in a
 * separate process, so that its memory can be limited from outside.
 */
import { openVectorFile } from '../../dist/src/index.js'
import { readJournal } from '../../dist/src/pipeline/resume/journal.js'
import { readIvecs } from '../../dist/src/sources/rows/read-ivecs.js'
import { checkSpillFile } from '../../dist/spill/files/recover-spill-file.js'

const [, , reader, path, ids] = process.argv
let rows = 0
let failure
try {
  if (reader === 'ivecs') rows = (await readIvecs(path)).count
  else if (reader === 'spill') rows = (await checkSpillFile(path)).frames.length
  else if (reader === 'journal') rows = (await readJournal(path))?.entries.length ?? -1
  else {
    const file = await openVectorFile(path, ids === undefined ? {} : { ids })
    for await (const { vectors, dimensions } of file.batches()) rows += vectors.length / dimensions
  }
} catch (error) {
  failure = { name: error.name, code: error.code, message: error.message }
}
console.log(JSON.stringify({ rows, failure }))
