/**
 * Runs the build of scenario `argv[2]` in the folder `argv[3]`, for a trace of its syncs: `count-file-operations.mjs`
 * is preloaded and writes TRACE_FILE. This file adds `build` at the begin of the build, `note FILES…` for an entry of
 * the journal, and `round` when the journal begins to sync its entries.
 */
import { appendFileSync } from 'node:fs'
import { Journal } from '../../dist/src/pipeline/resume/journal.js'
import { SCENARIOS } from './scenarios.mjs'

const [, , scenario, folder] = process.argv
const trace = (line) => appendFileSync(process.env.TRACE_FILE, `${line}\n`)

const { append } = Journal.prototype
Journal.prototype.append = function (entry, files, folders = []) {
  trace(['note', ...files, ...folders].join(' '))
  append.call(this, entry, files, folders)
}

/** The journal waits this long before it syncs. The default is longer than such a short build. */
const SYNC_MS = 2000
const { setTimeout } = globalThis
globalThis.setTimeout = (then, ms, ...rest) => {
  if (ms !== SYNC_MS) return setTimeout(then, ms, ...rest)
  return setTimeout(() => {
    trace('round')
    then()
  }, 0)
}

await SCENARIOS[scenario].prepare(folder)
trace('build')
await SCENARIOS[scenario].build(folder)
