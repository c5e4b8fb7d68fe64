// For `node --import`: at its end the process writes what it used to the file that USAGE_FILE names.
import { writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { cpuSeconds, peakRssBytes } from './machine.mjs'

if (isMainThread) {
  process.on('exit', () => {
    writeFileSync(process.env.USAGE_FILE, JSON.stringify({ peakRssBytes: peakRssBytes(), cpu: cpuSeconds() }))
  })
}
