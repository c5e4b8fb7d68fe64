/** Builds `argv[3]` vectors of version 0 over the index `argv[2]`, slowly. Says `began` when it asks for the first. */
import { setTimeout as sleep } from 'node:timers/promises'
import { buildIndex } from '../../dist/src/index.js'

const [, , path, count] = process.argv
async function* source() {
  console.log('began')
  for (let id = 0; id < Number(count); id++) {
    if (id % 20 === 0) await sleep(5)
    yield { id, vector: [0, id] }
  }
}
const { generation } = await buildIndex(source(), { path, threads: 1, quality: 'balanced' })
console.log(`published ${generation}`)
