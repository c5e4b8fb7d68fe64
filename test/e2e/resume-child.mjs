/**
 * Builds as its one argument (JSON) says, and dies by SIGKILL at the point it names: after the nth journal entry of a
 * kind, or at the first progress of a stage ('publish': once the build is live). With `fields` in the options, every
 * vector has some that follow from its number. Prints the report and the ordinals that the source was asked to begin at.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { IngestCheckpoints } from '../../dist/src/pipeline/ingest/ingest-checkpoints.js'
import { Journal } from '../../dist/src/pipeline/resume/journal.js'
import { buildIndex, openVectorFile } from '../../dist/src/index.js'

const { input, ids, options, killAfter, killInStage } = JSON.parse(process.argv[2])
const die = () => process.kill(process.pid, 'SIGKILL')

// A checkpoint after every batch of the source.
IngestCheckpoints.prototype.isDue = () => true
const { append } = Journal.prototype
let left = killAfter?.nth ?? Number.POSITIVE_INFINITY
Journal.prototype.append = function (entry, ...rest) {
  // Dying takes a moment.
  if (left === 0) return
  append.call(this, entry, ...rest)
  if (entry.kind === killAfter?.kind && (killAfter.ended ?? entry.ended) === entry.ended && --left === 0) {
    void this.flush().then(die)
  }
}

const file = await openVectorFile(input, { ids })
const asked = []
const source = (startAt) => {
  asked.push(startAt)
  return options.fields === undefined ? file.batches(startAt) : withFields(file.batches(startAt), startAt)
}
async function* withFields(batches, startAt) {
  let row = startAt
  for await (const batch of batches) {
    const numbers = Array.from({ length: batch.vectors.length / batch.dimensions }, (_, i) => row + i)
    const columns = {
      group: (n) => (n % 9 === 0 ? null : `group ${(n * 31) % 1000}`),
      price: (n) => n / 8,
      note: (n) => ({ text: 'x'.repeat(n % 100), n }),
    }
    const fields = Object.fromEntries(Object.entries(columns).map(([name, of]) => [name, numbers.map(of)]))
    yield { ...batch, fields }
    row += numbers.length
  }
}
const onProgress = ({ stage }) => {
  // A slow disk lets a timer report 'publish' before the switch.
  if (stage === killInStage && (stage !== 'publish' || existsSync(join(options.path, 'CURRENT')))) die()
}
const report = await buildIndex(source, { sourceFingerprint: await file.fingerprint(), ...options, onProgress })
console.log(JSON.stringify({ report, asked }))
