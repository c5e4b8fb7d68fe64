#!/usr/bin/env node
import { listenToSignals } from './signals.js'

listenToSignals()
// The rest is loaded after that, not before.
const { run } = await import('./run.js')
process.exitCode = await run(process.argv.slice(2))
