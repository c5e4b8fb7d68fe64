/** Worker thread of read-batches.test.ts: reads handed-off batches and posts them back as plain values. */

import { parentPort, workerData } from 'node:worker_threads'
import { tsImport } from 'tsx/esm/api'

const { readBatches } = await tsImport('../../spill/read-batches.ts', import.meta.url)
const got = []
for (const { header, count, bytes } of readBatches(workerData)) {
  got.push({ header, count, hex: Buffer.from(bytes).toString('hex') })
}
// A mark that the other thread sees proves that the memory is shared.
for (const ref of workerData) if (ref.kind === 'memory') ref.batch.bytes[0] = 123
parentPort.postMessage(got)
