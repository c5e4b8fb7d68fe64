#!/usr/bin/env node
import { whyUnsupported } from '../host/supported-node.js'

// The rest is loaded afterwards: an old Node.js could not even parse or link it.
const reason = whyUnsupported(process.versions.node)
if (reason === undefined) {
  const { run } = await import('./run.js')
  process.exitCode = await run(process.argv.slice(2))
} else {
  process.stderr.write(`error: ${reason}\n`)
  process.exitCode = 1
}
