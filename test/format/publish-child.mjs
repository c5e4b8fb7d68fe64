/** Takes the lock, rewrites one segment and publishes. argv: the index, and a file with the new manifest. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { acquireLock } from '../../dist/src/format/generation/lock.js'
import { publishGeneration } from '../../dist/src/format/generation/publish-generation.js'
import { readSegmentHeader } from '../../dist/src/format/segment/read-segment-header.js'
import { SEGMENT_HEADER_BYTES } from '../../dist/src/format/segment/segment-header.js'
import { writeSegment } from '../../dist/src/format/segment/write-segment.js'

const [indexDir, manifestFile] = process.argv.slice(2)
const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'))
const lock = await acquireLock(indexDir)
const file = manifest.segments.find(({ name }) => name === 'upper.seg')
const path = join(indexDir, manifest.generation, file.name)
const header = await readSegmentHeader(path, file)
const data = readFileSync(path).subarray(SEGMENT_HEADER_BYTES, SEGMENT_HEADER_BYTES + header.dataBytes)
await writeSegment(path, header, data)
await publishGeneration(indexDir, manifest.generation, manifest, { keepGenerations: 0 })
await lock.release()
