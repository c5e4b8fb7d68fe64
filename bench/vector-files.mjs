// fvecs, bvecs, ivecs (per row an i32 length, then that many f32, u8 or i32) and npy (<f4, C order), little-endian.
// Read in blocks: a file may be larger than a buffer can be.
import { closeSync, fstatSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'

const BLOCK_BYTES = 1 << 22

/** Yields { vectors: Float32Array of whole rows, first: number of the first row }. The array is valid until the next. */
export function* readBlocks(path, limit = Infinity) {
  const file = openSync(path, 'r')
  try {
    const layout = layoutOf(file, path)
    const { dims, rowBytes, dataOffset, lengthBytes, bytesPerValue } = layout
    const count = Math.min(limit, layout.count)
    const blockRows = Math.max(1, Math.floor(BLOCK_BYTES / rowBytes))
    const bytes = new Uint8Array(blockRows * rowBytes)
    const vectors = new Float32Array(blockRows * dims)
    const valueBytes = new Uint8Array(vectors.buffer)
    for (let first = 0; first < count; first += blockRows) {
      const rows = Math.min(blockRows, count - first)
      readFully(file, bytes.subarray(0, rows * rowBytes), dataOffset + first * rowBytes, path)
      for (let row = 0; row < rows; row++) {
        const values = bytes.subarray(row * rowBytes + lengthBytes, (row + 1) * rowBytes)
        if (bytesPerValue === 1) vectors.set(values, row * dims)
        else valueBytes.set(values, row * dims * 4)
      }
      yield { vectors: vectors.subarray(0, rows * dims), first }
    }
  } finally {
    closeSync(file)
  }
}

/** All rows, or the first `limit`, one after the other in one Float32Array. */
export function readMatrix(path, limit = Infinity) {
  const { dims, count } = shapeOf(path)
  const rows = Math.min(limit, count)
  const vectors = new Float32Array(rows * dims)
  for (const block of readBlocks(path, rows)) vectors.set(block.vectors, block.first * dims)
  return { dims, count: rows, vectors }
}

/** Rows as float32. */
export function readVectors(path) {
  const { dims, count, vectors } = readMatrix(path)
  return { dims, rows: Array.from({ length: count }, (_, i) => vectors.subarray(i * dims, (i + 1) * dims)) }
}

/** Rows as int32. */
export function readIvecs(path) {
  const file = readFileSync(path)
  const dims = file.readInt32LE(0)
  const stride = 4 + dims * 4
  if (dims < 1 || file.length % stride !== 0) throw new Error(`${path}: ${file.length} bytes are not rows of ${stride}`)
  const bytes = new Uint8Array(file)
  return {
    dims,
    rows: Array.from(
      { length: file.length / stride },
      (_, i) => new Int32Array(bytes.buffer.slice(i * stride + 4, (i + 1) * stride)),
    ),
  }
}

/** { dims, count } of a file of vectors. */
export function shapeOf(path) {
  const file = openSync(path, 'r')
  try {
    const { dims, count } = layoutOf(file, path)
    return { dims, count }
  } finally {
    closeSync(file)
  }
}

/** Copies the first `count` rows to `target`, in the same format. */
export function writePrefix(path, count, target) {
  const input = openSync(path, 'r')
  const output = openSync(target, 'w')
  try {
    const { dims, rowBytes, dataOffset } = layoutOf(input, path)
    if (path.endsWith('.npy')) writeFully(output, npyHeader(count, dims))
    const end = dataOffset + count * rowBytes
    const bytes = new Uint8Array(BLOCK_BYTES)
    for (let at = dataOffset; at < end; at += bytes.length) {
      const part = bytes.subarray(0, Math.min(bytes.length, end - at))
      readFully(input, part, at, path)
      writeFully(output, part)
    }
  } finally {
    closeSync(output)
    closeSync(input)
  }
}

/** Writes rows block by block: fvecs or npy, as the name says. */
export function createVectorFile(path, count, dims) {
  const isNpy = path.endsWith('.npy')
  if (!isNpy && !path.endsWith('.fvecs')) throw new Error(`${path}: expected a .fvecs or .npy file`)
  const file = openSync(path, 'w')
  if (isNpy) writeFully(file, npyHeader(count, dims))
  return {
    /** @param vectors whole rows. */
    write(vectors) {
      if (isNpy) return writeFully(file, bytesOf(vectors))
      const rows = vectors.length / dims
      const words = new Float32Array(rows * (dims + 1))
      const lengths = new Int32Array(words.buffer)
      for (let row = 0; row < rows; row++) {
        lengths[row * (dims + 1)] = dims
        words.set(vectors.subarray(row * dims, (row + 1) * dims), row * (dims + 1) + 1)
      }
      writeFully(file, bytesOf(words))
    },
    close: () => closeSync(file),
  }
}

/** @param rows Int32Arrays of one length. */
export function writeIvecs(path, rows) {
  const file = openSync(path, 'w')
  try {
    for (const row of rows) writeFully(file, bytesOf(Int32Array.of(row.length, ...row)))
  } finally {
    closeSync(file)
  }
}

function layoutOf(file, path) {
  const size = fstatSync(file).size
  const layout = path.endsWith('.npy') ? npyLayout(file, path) : vecsLayout(file, path)
  const count = (size - layout.dataOffset) / layout.rowBytes
  if (layout.dims < 1 || !Number.isInteger(count) || (layout.count ?? count) !== count) {
    throw new Error(`${path}: ${size} bytes are not ${layout.count ?? 'whole'} rows of ${layout.rowBytes} bytes`)
  }
  return { ...layout, count }
}

function vecsLayout(file, path) {
  const bytesPerValue = path.endsWith('.bvecs') ? 1 : path.endsWith('.fvecs') ? 4 : undefined
  if (bytesPerValue === undefined) throw new Error(`${path}: expected a .fvecs, .bvecs or .npy file`)
  const head = new Uint8Array(4)
  readFully(file, head, 0, path)
  const dims = new DataView(head.buffer).getInt32(0, true)
  return { dims, bytesPerValue, lengthBytes: 4, rowBytes: 4 + dims * bytesPerValue, dataOffset: 0 }
}

function npyLayout(file, path) {
  const head = new Uint8Array(12)
  readFully(file, head, 0, path)
  const view = new DataView(head.buffer)
  const [start, length] = head[6] === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)]
  const text = new Uint8Array(length)
  readFully(file, text, start, path)
  const header = Buffer.from(text).toString('latin1')
  const shape = /'descr': *'<f4', *'fortran_order': *False, *'shape': *\((\d+), *(\d+)\)/.exec(header)
  if (shape === null) throw new Error(`${path}: expected <f4 in C order with two axes, found ${header.trim()}`)
  const [count, dims] = [Number(shape[1]), Number(shape[2])]
  return { dims, count, bytesPerValue: 4, lengthBytes: 0, rowBytes: 4 * dims, dataOffset: start + length }
}

function npyHeader(count, dims) {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${count}, ${dims}), }`
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10
  const header = Buffer.alloc(10 + length, ' ')
  header.write('\x93NUMPY\x01\x00', 0, 'latin1')
  header.writeUInt16LE(length, 8)
  header.write(text, 10, 'latin1')
  header[header.length - 1] = 10
  return header
}

function bytesOf(view) {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
}

function readFully(file, bytes, position, path) {
  for (let done = 0; done < bytes.length;) {
    const got = readSync(file, bytes, done, bytes.length - done, position + done)
    if (got === 0) throw new Error(`${path}: ends at byte ${position + done}`)
    done += got
  }
}

function writeFully(file, bytes) {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done)
}
