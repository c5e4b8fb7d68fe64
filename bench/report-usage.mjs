// For `node --import`: at its end the process writes what it used to the file that USAGE_FILE names.
import { readFileSync, writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { bytesOf } from './cluster/process-usage.mjs'
import { cpuSeconds, peakRssBytes } from './machine.mjs'

if (isMainThread) {
  process.on('exit', () => {
    const bytes = process.platform === 'linux' ? bytesOf(readFileSync('/proc/self/io', 'utf8')) : {}
    writeFileSync(process.env.USAGE_FILE, JSON.stringify({ peakRssBytes: peakRssBytes(), cpu: cpuSeconds(), ...bytes }))
  })
}
