/** Rows that a file has column by column: NumPy's Fortran order. */
import { readExactly } from '../bytes/byte-reader.js'
import type { FlatRows } from './flat-rows.js'
import { rowsPerBatch, type ReadPlan } from '../vector-file.js'

/** A read for each column and tile: 16 MiB are 2,700 rows of 1,536 float32 at once. */
const TILE_BYTES = 16 * 1024 * 1024

/** Reads tiles of rows, a piece of each column after the other. Holds one tile, as float32, and one piece. */
export function planColumnRows({ count, dimensions, dataOffset, type }: FlatRows): ReadPlan {
  return {
    count,
    dimensions,
    async *batches(pass, startAt) {
      const rowsAtOnce = Math.min(count, rowsPerBatch(dimensions))
      const tileRows = Math.max(rowsAtOnce, Math.min(count, Math.floor(TILE_BYTES / (4 * dimensions))))
      const tile = new Float32Array(tileRows * dimensions)
      const one = new Uint8Array(1)
      const piece = new Float32Array(tileRows)
      for (let first = startAt; first < count; first += tileRows) {
        const rows = Math.min(tileRows, count - first)
        for (let column = 0; column < dimensions; column++) {
          const raw = new Uint8Array(rows * type.bytes)
          await readExactly(pass, raw, dataOffset + (column * count + first) * type.bytes)
          if (type.widen === undefined) piece.set(new Float32Array(raw.buffer))
          else type.widen(raw.buffer, rows, piece)
          for (let row = 0; row < rows; row++) tile[row * dimensions + column] = piece[row]
        }
        for (let row = 0; row < rows; row += rowsAtOnce) {
          // The rest of a tile needs no read, so this one throws when the pass was closed.
          if (row > 0) await pass.read(one, 0)
          const end = Math.min(rows, row + rowsAtOnce)
          yield { vectors: tile.subarray(row * dimensions, end * dimensions), dimensions }
        }
      }
    },
  }
}
