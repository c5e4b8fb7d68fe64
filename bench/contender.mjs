// One contender in a process of its own, started by compare.mjs, which sends it a job. A peer reads the file, adds,
// saves, reports, and then searches. Shardloom's build is its command line; here its index is only searched.
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { cpuSeconds, peakRssBytes } from './machine.mjs'
import { K, measureCurve } from './search-curve.mjs'
import { readIvecs, readMatrix } from './vector-files.mjs'

process.once('message', (job) => void run(job))

async function run(job) {
  if (job.probe) await probePeer(job)
  else if (job.contender === 'shardloom') await searchShardloom(job)
  else await runPeer(job)
  process.disconnect()
}

/** Says why the peer cannot be loaded: it is not installed, or not for this machine. */
async function probePeer({ contender }) {
  try {
    await import(`./peers/${contender}.mjs`)
    process.send({ missing: null })
  } catch (error) {
    process.send({ missing: String(error.message).split('\n')[0] })
  }
}

async function runPeer({ contender, base, metric, m, efConstruction, threads, out, queries, truth, roundMs }) {
  const { open, version } = await import(`./peers/${contender}.mjs`)
  const seconds = stopwatch()
  let matrix = readMatrix(base)
  const { dims, count } = matrix
  const read = seconds()
  const peer = await open({ dims, metric, m, efConstruction, threads, k: K, out })
  seconds()
  await peer.add(matrix.vectors, count)
  const add = seconds()
  await peer.save?.(out)
  const save = peer.save && seconds()
  const indexBytes = peer.save && bytesOf(out)
  const { threads: used } = peer
  process.send({
    built: { version, threads: used, read, add, save, cpu: cpuSeconds(), peakRssBytes: peakRssBytes(), indexBytes },
  })
  matrix = undefined
  const rows = readMatrix(queries)
  process.send({ curve: await measureCurve((ef) => peer.searcherAt(ef, rows), readIvecs(truth).rows, roundMs) })
}

async function searchShardloom({ out, queries, truth, roundMs }) {
  const { openIndex } = await import('../dist/bundle/lib/index.js')
  const { dims, count, vectors } = readMatrix(queries)
  const rows = Array.from({ length: count }, (_, i) => vectors.subarray(i * dims, (i + 1) * dims))
  const index = await openIndex(out, { preload: true })
  const searcherAt = (ef) => () => rows.map((query) => index.search(query, { k: K, ef }).map((hit) => hit.id))
  process.send({ curve: await measureCurve(searcherAt, readIvecs(truth).rows, roundMs) })
  await index.close()
}

/** Bytes of a file, or of all files in a folder. */
function bytesOf(file) {
  if (!statSync(file).isDirectory()) return statSync(file).size
  return readdirSync(file).reduce((sum, name) => sum + bytesOf(path.join(file, name)), 0)
}

/** Each call gives the seconds since the one before. */
function stopwatch() {
  let last = performance.now()
  return () => {
    const from = last
    last = performance.now()
    return (last - from) / 1000
  }
}
