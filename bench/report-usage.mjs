// For `node --import`: at its end the process writes what it used to the file that USAGE_FILE names.
import { writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { processUsage } from './cluster/process-usage.mjs'
import { cpuSeconds, peakRssBytes } from './machine.mjs'

if (isMainThread) {
  process.on('exit', () => {
    const more = process.platform === 'linux' ? processUsage(process.pid) : {}
    const usage = { ...more, peakRssBytes: peakRssBytes(), cpu: cpuSeconds() }
    writeFileSync(process.env.USAGE_FILE, JSON.stringify(usage))
  })
}
