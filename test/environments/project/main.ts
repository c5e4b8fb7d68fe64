import { buildIndex, openIndex, type SearchHit, type VectorRecord } from 'shardloom'

// Every kind of value that goes in or comes out, for compilers; tsx runs it.
async function* records(): AsyncGenerator<VectorRecord> {
  for (let i = 0; i < 2000; i++) yield { id: `v${i}`, vector: [Math.sin(i), Math.cos(i), i] }
}

const { count } = await buildIndex(records(), { path: 'typed.index', signal: undefined })
const index = await openIndex('typed.index')
const [hit]: SearchHit[] = index.search(new Float32Array([Math.sin(7), Math.cos(7), 7]), { k: 1 })
await index.close()
console.log(`${count} ${hit.id} v8`)
