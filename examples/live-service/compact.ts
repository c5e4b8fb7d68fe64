/**
 * For cron: lets the service build a new generation of all that is in its index, waits for it, and writes one line.
 *
 *   npx tsx examples/live-service/compact.ts [URL]
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Compaction } from './routes.ts'

const [url = 'http://127.0.0.1:8080'] = process.argv.slice(2)
const POLL_MS = 500

function log(level: 'INFO' | 'ERROR', message: string): void {
  console.log(`${new Date().toISOString()} ${level} ${url}: ${message}`)
}

async function ask(method: 'GET' | 'POST'): Promise<Compaction> {
  const answer = await fetch(`${url}/compact`, { method })
  if (!answer.ok) throw new Error(`status ${answer.status}`)
  return (await answer.json()) as Compaction
}

try {
  let compaction = await ask('POST')
  while (compaction.state === 'running') {
    await sleep(POLL_MS)
    compaction = await ask('GET')
  }
  const { state, generation, count, recallAt10, seconds, error } = compaction
  if (state !== 'done') throw new Error(error ?? 'the service was started again meanwhile')
  if (generation === undefined) log('INFO', 'nothing to compact')
  else log('INFO', `${generation} is live: ${count} vectors, recall@10 ${recallAt10}, ${seconds} s`)
} catch (error) {
  const { message, cause } = error as Error
  log('ERROR', `not compacted: ${message}${cause instanceof Error ? `: ${cause.message}` : ''}`)
  process.exitCode = 1
}
