/**
 * A batch ingest: builds an index from a file of vectors, within a memory budget, and prints the report.
 *
 *   npx tsx examples/batch-ingest.ts [VECTORS [IDS]] [--metric M] [--memory SIZE] [--out DIR]
 *
 * Without a file it takes the nouns of examples/data. Its exit codes: 2 for bad input, 3 for too little memory or disk,
 * 130 when interrupted, 1 for the rest.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { buildIndex, openVectorFile, ShardloomError } from 'shardloom'
import type { BuildReport, Metric, ProgressEvent } from 'shardloom'

const NOUNS = ['wordnet5k_nouns.npy', 'wordnet5k_nouns_ids.txt'].map((name) =>
  fileURLToPath(new URL(`data/${name}`, import.meta.url)),
)

try {
  printReport(await ingest(process.argv.slice(2)))
} catch (error) {
  const { exitCode, text } = explain(error)
  console.error(text)
  process.exitCode = exitCode
}

async function ingest(args: string[]): Promise<BuildReport> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      metric: { type: 'string', default: 'cosine' },
      memory: { type: 'string', default: '300MB' },
      out: { type: 'string', default: 'batch-ingest.index' },
    },
  })
  const [vectors, ids] = positionals.length > 0 ? positionals : NOUNS
  const file = await openVectorFile(vectors, { ids })

  // The first Ctrl-C stops the build, which keeps its finished work; a second one ends the process as usual.
  const interrupt = new AbortController()
  process.once('SIGINT', () => interrupt.abort())
  try {
    // A function of the record to begin at, so that an interrupted build goes on when it is started again.
    return await buildIndex((startAt) => file.batches(startAt), {
      sourceFingerprint: await file.fingerprint(),
      path: values.out,
      metric: values.metric as Metric, // checked by buildIndex
      memory: values.memory,
      // With count and dimensions from the header the plan can refuse before a row is read.
      count: file.count,
      dimensions: file.dimensions,
      signal: interrupt.signal,
      onProgress: progressPrinter(),
      logger: { info: () => undefined, warn: (message) => console.error(`warning: ${message}`) },
    })
  } finally {
    await file.close()
  }
}

/** Prints at most one line a second, and one whenever a stage begins. */
function progressPrinter(): (event: ProgressEvent) => void {
  let last = { stage: '', atSeconds: 0 }
  return ({ stage, done, total, unit, rate, elapsedSeconds, rssBytes, spilledBytes }) => {
    if (stage === last.stage && elapsedSeconds - last.atSeconds < 1) return
    last = { stage, atSeconds: elapsedSeconds }
    const parts = [
      `${elapsedSeconds.toFixed(1).padStart(6)} s  ${stage.padEnd(12)}`,
      `${done}${total === undefined ? '' : `/${total}`} ${unit}`,
      `${Math.round(rate)}/s`,
      `RSS ${megabytes(rssBytes)}`,
      `spilled ${megabytes(spilledBytes)}`,
    ]
    console.error(parts.join('  '))
  }
}

function printReport(report: BuildReport): void {
  const { count, skipped, dimensions, metric, seconds, recallAt10, reachable, repaired } = report
  console.log(`${count} vectors of ${dimensions} dimensions (${metric}), ${skipped} skipped, in ${seconds} s`)
  console.log(`recall@10 ${recallAt10} at ef 64; ${reachable} reachable, ${repaired} of them repaired`)
  console.log(`peak ${megabytes(report.peakRssBytes)} of ${megabytes(report.memoryBytes)}, ${report.threads} threads`)
  for (const { name, seconds } of report.stages) console.log(`  ${name.padEnd(12)} ${seconds.toFixed(2)} s`)
  console.log(`${report.path} (${report.generation})`)
}

function explain(error: unknown): { exitCode: number; text: string } {
  if (error instanceof ShardloomError) return { exitCode: error.exitCode, text: `${error.code}: ${error.message}` }
  // parseArgs throws this for an unknown flag.
  if (error instanceof TypeError && 'code' in error) return { exitCode: 2, text: error.message }
  return { exitCode: 1, text: error instanceof Error ? (error.stack ?? error.message) : String(error) }
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`
}
