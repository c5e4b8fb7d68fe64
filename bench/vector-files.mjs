// fvecs, bvecs and ivecs: per row an i32 length, then that many f32, u8 or i32.
import { readFileSync } from 'node:fs'

/** Rows as float32. */
export function readVectors(path) {
  if (path.endsWith('.bvecs')) return readRows(path, 1, (bytes) => Float32Array.from(bytes))
  if (path.endsWith('.fvecs')) return readRows(path, 4, (bytes) => new Float32Array(bytes.slice().buffer))
  throw new Error(`${path}: expected a .fvecs or .bvecs file`)
}

/** Rows as int32. */
export function readIvecs(path) {
  return readRows(path, 4, (bytes) => new Int32Array(bytes.slice().buffer))
}

function readRows(path, valueBytes, decode) {
  const file = new Uint8Array(readFileSync(path))
  const dims = new DataView(file.buffer).getInt32(0, true)
  const stride = 4 + dims * valueBytes
  if (dims < 1 || file.length % stride !== 0) throw new Error(`${path}: ${file.length} bytes are not rows of ${stride}`)
  const count = file.length / stride
  return {
    dims,
    rows: Array.from({ length: count }, (_, i) => decode(file.subarray(i * stride + 4, (i + 1) * stride))),
  }
}
