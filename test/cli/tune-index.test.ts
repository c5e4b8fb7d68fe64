import { rm } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { Terminal } from '../../src/cli/screen/terminal.js'
import { tuneIndex } from '../../src/cli/commands/tune-index.js'
import { openIndex } from '../../src/live/open-index.js'
import { temporaryFolder } from '../fixtures/index-files.js'
import { nearestGraph } from '../fixtures/random-graph.js'
import { writeIndex } from '../fixtures/write-index.js'

const folder = temporaryFolder()

it('the command line warns of a choice that cannot be stored, and uses it', async () => {
  const dir = folder.path('unwritable.index')
  const graph = nearestGraph({ seed: 1, metric: 'l2', count: 50, dimensions: 4, m: 4, values: 'reals' })
  const { directory } = await writeIndex(dir, graph)
  const index = await openIndex(dir)
  // Stands for a folder that may not be written: a test that root runs could write to one.
  await rm(directory, { recursive: true })
  const stderr = new PassThrough()
  const terminal = new Terminal(new PassThrough() as never, stderr as never)
  expect(await tuneIndex(index, { recall: 0.5 }, terminal)).toMatchObject({ reached: true, stored: false })
  expect(String(stderr.read())).toMatch(/^warning: the choice of ef cannot be stored with the index: .*TUNING: /)
  await index.close()
})
