// Aborts builds at moments spread over the start of their threads. Arguments: an empty folder, how many builds.
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { buildIndex } from '../../dist/src/index.js'

const [, , folder, count] = process.argv
const DIMENSIONS = 16
const LATEST_MS = 300
const vectors = Float32Array.from({ length: 3000 * DIMENSIONS }, (_, i) => Math.sin(i * i))

let aborted = 0
for (let build = 0; build < Number(count); build++) {
  const stop = new AbortController()
  const options = { path: path.join(folder, String(build)), signal: stop.signal, memory: '300MB', threads: 2 }
  const built = buildIndex([{ vectors, dimensions: DIMENSIONS }], options).catch((error) => {
    if (error.code !== 'SHARDLOOM_ABORTED') throw error
    aborted++
  })
  await Promise.race([built, sleep(Math.round((LATEST_MS * build) / Number(count)))])
  stop.abort()
  await built
}
console.log(aborted)
