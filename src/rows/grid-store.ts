import { closeSync, constants, ftruncateSync, openSync, readSync } from 'node:fs'
import { writeFailure } from '../format/bytes/file-errors.js'
import { writeAtSync } from '../format/bytes/write-durably.js'

/**
 * Where the codes of finished nodes lie, in node order, between the shards and merge stages: in shared memory when the
 * plan has room, else in build/codes.bin. Plain data, so that tasks can carry it.
 */
export type GridStore =
  | { readonly kind: 'memory'; readonly rowBytes: number; bytes: Uint8Array }
  | { readonly kind: 'file'; readonly rowBytes: number; readonly path: string }

/** Two wanted rows nearer than this in the file are fetched by one read. Measured: a 16 KiB gap costs less than a call. */
const COALESCE_GAP_BYTES = 16 * 1024
const MAX_READ_BYTES = 4 * 2 ** 20

/** This thread's, used again: one made for each chunk would wait for a garbage collector that has little else to do. */
let readBuffer = new Uint8Array(0)

/** Room for `count` rows: in shared memory, or in a file when a path is given. @throws DiskFullError and other file errors */
export function openGridStore(count: number, rowBytes: number, path: string | undefined): GridStore {
  if (path === undefined) {
    return { kind: 'memory', rowBytes, bytes: new Uint8Array(new SharedArrayBuffer(count * rowBytes)) }
  }
  try {
    const file = openSync(path, 'w')
    try {
      ftruncateSync(file, count * rowBytes)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw writeFailure(path, count * rowBytes, error)
  }
  return { kind: 'file', rowBytes, path }
}

/** Lets go of codes in memory; a file goes with its folder. */
export function dropGrid(store: GridStore): void {
  if (store.kind === 'memory') store.bytes = new Uint8Array(0)
}

/**
 * Hosts write their rows to the file side by side. It is opened for writing only: for a file that is open for reading
 * too, an NFS client fetches the page around a write and may later send all of it, with old bytes of another host's rows.
 */
export function writeGrid(store: GridStore, firstNode: number, codes: Uint8Array): void {
  if (store.kind === 'memory') {
    store.bytes.set(codes, firstNode * store.rowBytes)
    return
  }
  try {
    const file = openSync(store.path, constants.O_WRONLY)
    try {
      writeAtSync(file, codes, firstNode * store.rowBytes)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw writeFailure(store.path, codes.length, error)
  }
}

/**
 * Copies the codes of `nodes` (ascending, no repeats) side by side into `into`. From a file this is one sorted pass
 * of coalesced positional reads.
 */
export function readGrid(store: GridStore, nodes: Uint32Array, into: Uint8Array): void {
  const { rowBytes } = store
  if (store.kind === 'memory') {
    copyRuns(nodes, rowBytes, (first, count, at) => {
      into.set(store.bytes.subarray(first * rowBytes, (first + count) * rowBytes), at)
    })
    return
  }
  try {
    const file = openSync(store.path, 'r')
    try {
      readRuns(file, store, nodes, into)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw writeFailure(store.path, 0, error)
  }
}

function readRuns(
  file: number,
  { path, rowBytes }: { readonly path: string; readonly rowBytes: number },
  nodes: Uint32Array,
  into: Uint8Array,
): void {
  let from = 0
  while (from < nodes.length) {
    let to = from + 1
    const start = nodes[from] * rowBytes
    while (
      to < nodes.length &&
      (nodes[to] - nodes[to - 1] - 1) * rowBytes <= COALESCE_GAP_BYTES &&
      (nodes[to] + 1) * rowBytes - start <= MAX_READ_BYTES
    ) {
      to++
    }
    const length = (nodes[to - 1] + 1) * rowBytes - start
    if (readBuffer.length < length) readBuffer = new Uint8Array(length)
    readFully(file, path, readBuffer, length, start)
    for (let i = from; i < to; i++) {
      const at = nodes[i] * rowBytes - start
      into.set(readBuffer.subarray(at, at + rowBytes), i * rowBytes)
    }
    from = to
  }
}

function copyRuns(
  nodes: Uint32Array,
  rowBytes: number,
  copy: (firstNode: number, count: number, at: number) => void,
): void {
  let from = 0
  while (from < nodes.length) {
    let to = from + 1
    while (to < nodes.length && nodes[to] === nodes[to - 1] + 1) to++
    copy(nodes[from], to - from, from * rowBytes)
    from = to
  }
}

function readFully(file: number, path: string, into: Uint8Array, length: number, position: number): void {
  let done = 0
  while (done < length) {
    const read = readSync(file, into, done, length - done, position + done)
    if (read === 0) throw new Error(`${path}: ends at byte ${position + done}, expected ${length - done} bytes more`)
    done += read
  }
}
