/**
 * Builds as its one argument (JSON) says, and says what happens as lines of JSON: `{ event }`, `{ stage }`, `{ report }`
 * and, with `dieAt`, `{ operations }`: its file operations in the shared folder as sites (test/faults/fault-control.mjs).
 *
 * `dieAt`: `{ site, nth, after }`: dies by SIGKILL at the nth operation of this site, before or after it is done.
 */
import { writeSync } from 'node:fs'
import { siteOf } from '../../faults/fault-control.mjs'
import { patchFileOperations } from '../../faults/patch-file-operations.mjs'
import { recordsFrom } from './data.mjs'

const { index, url, sharedDir, lockSeconds, data, options, resumable, checkpoints, dieAt } = JSON.parse(process.argv[2])
const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`)
const die = () => process.kill(process.pid, 'SIGKILL')

const counts = {}
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
const SUFFIX = /-[0-9a-f]{8}\b/g
if (dieAt !== undefined) {
  patchFileOperations((operation) => {
    if (!operation.path.startsWith(sharedDir)) return operation.perform()
    const path = operation.path.slice(sharedDir.length + 1)
    const site = siteOf('main', operation.name, path.replace(UUID, 'X').replace(SUFFIX, ''))
    counts[site] = (counts[site] ?? 0) + 1
    const dies = site === dieAt.site && counts[site] === dieAt.nth
    if (dies && dieAt.after !== true) die()
    const result = operation.perform()
    if (!dies) return result
    if (operation.blocking) die()
    return Promise.resolve(result).finally(die)
  })
}

const { pipnnEngine } = await import('../../../dist/src/engines/pipnn/pipnn-engine.js')
const { IngestCheckpoints } = await import('../../../dist/src/pipeline/ingest/ingest-checkpoints.js')
const { buildIndex } = await import('../../../dist/src/index.js')

// Several shards of a few rows; the plan refuses smaller ones.
pipnnEngine.shardMembers = 1100
if (checkpoints === true) IngestCheckpoints.prototype.isDue = () => true

const onEvent = (message) => say({ event: message })
let stage = ''
const report = await buildIndex(resumable ? (startAt) => recordsFrom(data, startAt) : recordsFrom(data, 0), {
  ...options,
  path: index,
  sourceFingerprint: JSON.stringify(data),
  ...(url !== undefined && { cluster: { connection: url, sharedDir, lockSeconds } }),
  logger: { info: onEvent, warn: onEvent },
  onProgress: (progress) => {
    if (progress.stage === stage) return
    stage = progress.stage
    say({ stage })
  },
})
if (dieAt !== undefined) say({ operations: counts })
say({ report })
