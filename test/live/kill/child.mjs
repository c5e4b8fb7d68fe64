/**
 * Writes to the index `argv[2]` by the operations of seed `argv[3]` until it is killed. Says `open`, `call N` before the
 * operation N is called and `done N` when it is acknowledged.
 */
import { writeSync } from 'node:fs'
import { LiveIndex } from '../../../dist/src/live/live-index.js'
import { groups, perform, DIMENSIONS, FIELDS } from './operations.mjs'

const [, , path, seed] = process.argv
const say = (text) => writeSync(1, `${text}\n`)
const limits = { maxParts: 4, memoryRows: 60, memoryBytes: 2 ** 20, logBytes: 2 ** 16, maxWaiting: 2, graphRows: 100 }
const settings = {
  dimensions: DIMENSIONS,
  metric: 'l2',
  m: 8,
  quantization: 'f32',
  quality: 'balanced',
  seed: 1,
  fields: FIELDS,
}
const onEvent = ({ kind, message }) => say(`event ${kind} ${message.replaceAll('\n', ' ')}`)
const options = { durability: 'sync', maxAgeSeconds: 300, buildThreads: 1, limits, onEvent }
const index = await LiveIndex.open(path, options, settings)
say('open')
let number = 0
for (const group of groups(Number(seed))) {
  const calls = group.map(async (operation) => {
    const own = number++
    say(`call ${own}`)
    await perform(index, operation)
    say(`done ${own}`)
  })
  await Promise.all(calls)
}
