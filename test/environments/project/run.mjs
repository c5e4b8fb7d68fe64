// What every environment does: a build from a source that can be resumed, a search, and a batch on threads.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buildIndex, openIndex } from 'shardloom'

const vectorOf = (i) => Float32Array.from({ length: 16 }, (_, d) => Math.sin((i + 1) * (d + 1)))

async function* records(from) {
  for (let i = from; i < 2000; i++) yield { id: `v${i}`, vector: vectorOf(i) }
}

export async function run() {
  const folder = await mkdtemp(path.join(tmpdir(), 'shardloom-environment-'))
  try {
    const options = { path: path.join(folder, 'small.index'), memory: '300MB', threads: 2 }
    const { count } = await buildIndex(records, options)
    const index = await openIndex(options.path, { threads: 2 })
    const [hit] = index.search(vectorOf(7), { k: 1 })
    const [[ofBatch]] = await index.searchBatch([vectorOf(8)], { k: 1 })
    await index.close()
    return `${count} ${hit.id} ${ofBatch.id}`
  } finally {
    await rm(folder, { recursive: true })
  }
}
