#!/usr/bin/env node
import { OpenFilesError } from '../errors.js'
import { whyUnsupported } from '../host/supported-node.js'
import { LOADING_FILES, openFilesLimit } from '../memory/open-files.js'
import { endProcess, failAtOnce, listenToSignals, wouldAbort } from './signals.js'

listenToSignals()
const limit = openFilesLimit()
const unsupported = whyUnsupported(process.versions.node)
if (unsupported !== undefined) {
  process.stderr.write(`error: ${unsupported}\n`)
  process.exitCode = 1
} else if (limit !== undefined && limit < LOADING_FILES) {
  const { code, message, exitCode } = new OpenFilesError({
    what: 'this command',
    needed: LOADING_FILES,
    open: 0,
    limit,
  })
  failAtOnce(code, message, exitCode)
} else {
  // Loaded after these, not before: it takes longer than all this, and an old Node.js cannot link it.
  const { run } = await import('./run.js')
  process.exitCode = await run(process.argv.slice(2))
  if (wouldAbort()) endProcess(process.exitCode)
}
