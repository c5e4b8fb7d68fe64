/** Verifies quantized vectors: encodes the vectors again, in bounded memory, and compares the codes. */
import type { Kernel } from '../../../kernel/kernel.js'
import { quantizedShape, type CodeQuantization } from '../graph/quantized-shape.js'
import { rowEncoder } from '../graph/row-encoder.js'
import type { Manifest } from '../generation/manifest.js'
import { SegmentReader } from '../segment/segment-reader.js'
import type { VerifyFindings } from './verify-report.js'
import { fileOffset, type SegmentCheck } from './verify-segment.js'

/** Bytes of vectors encoded at a time, which takes a few hundredths of a second. */
const CHUNK_BYTES = 2 ** 20

/**
 * The codebook; undefined when a number in it is not finite, which is added to `findings`. Its bytes are verified
 * already.
 */
export async function verifyCodebook(
  reader: SegmentReader,
  findings: VerifyFindings,
): Promise<Float32Array | undefined> {
  const codebook = new Float32Array(reader.header.dataBytes / 4)
  await reader.read(0, new Uint8Array(codebook.buffer))
  const wrong = codebook.findIndex((number) => !Number.isFinite(number))
  if (wrong < 0) return codebook
  findings.add({ path: reader.path, offset: fileOffset(4 * wrong), reason: `number ${wrong} is ${codebook[wrong]}` })
  return undefined
}

/** Adds each node whose code differs to the findings. The bytes of both files are verified already. */
export async function verifyCodes(
  codes: SegmentReader,
  vectors: Pick<SegmentCheck, 'path' | 'file'>,
  index: { readonly kernel: Kernel; readonly manifest: Manifest; readonly codebook: Float32Array },
  findings: VerifyFindings,
): Promise<void> {
  const { kernel, manifest, codebook } = index
  const { dimensions, metric } = manifest
  const quantization = manifest.quantization as CodeQuantization
  const { firstNode, count } = codes.header
  const { strideBytes } = quantizedShape(quantization, dimensions)
  const chunkRows = Math.min(count, Math.max(1, Math.floor(CHUNK_BYTES / (4 * dimensions))))
  const mark = kernel.mark()
  const encoder = rowEncoder(kernel, { quantization, metric, dimensions, codebook, chunkRows })
  const rows = new Uint8Array(4 * chunkRows * dimensions)
  const stored = new Uint8Array(chunkRows * strideBytes)
  const reader = await SegmentReader.open(vectors.path, vectors.file)
  try {
    for (let first = 0; first < count; first += chunkRows) {
      const chunk = Math.min(chunkRows, count - first)
      const storedChunk = stored.subarray(0, chunk * strideBytes)
      const rowChunk = rows.subarray(0, 4 * chunk * dimensions)
      await reader.read(4 * first * dimensions, rowChunk)
      await codes.read(first * strideBytes, storedChunk)
      encoder.rows(chunk).set(rowChunk)
      encoder.encode(chunk)
      const made = encoder.codes(chunk)
      if (Buffer.compare(made, storedChunk) === 0) continue
      for (let i = 0; i < chunk; i++) {
        const at = i * strideBytes
        if (Buffer.compare(made.subarray(at, at + strideBytes), stored.subarray(at, at + strideBytes)) === 0) continue
        const offset = fileOffset((first + i) * strideBytes)
        findings.add({
          path: codes.path,
          offset,
          reason: `node ${firstNode + first + i}: the code does not match its vector`,
        })
      }
    }
  } finally {
    kernel.release(mark)
    await reader.close()
  }
}
