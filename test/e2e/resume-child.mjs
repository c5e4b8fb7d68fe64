/**
 * Builds as its one argument (JSON) says, and dies by SIGKILL at the point it names: after the nth journal entry of a
 * kind, or at the first progress of a stage ('publish': once the build is live). Prints the report and the ordinals that the source was asked to begin at.
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
  return file.batches(startAt)
}
const onProgress = ({ stage }) => {
  // A slow disk lets a timer report 'publish' before the switch.
  if (stage === killInStage && (stage !== 'publish' || existsSync(join(options.path, 'CURRENT')))) die()
}
const report = await buildIndex(source, { sourceFingerprint: await file.fingerprint(), ...options, onProgress })
console.log(JSON.stringify({ report, asked }))
