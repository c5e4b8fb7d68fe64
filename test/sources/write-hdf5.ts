/** HDF5 files for tests, by h5wasm. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { File, ready } from 'h5wasm/node'
import type { Rows } from './write-vector-files.js'

await ready

export interface Hdf5Options {
  readonly dtype?: '<f' | '<d' | '<i' | '<h' | '<b' | '<B' | '>f'
  readonly chunks?: number[]
  readonly compression?: number
}

export function hdf5(datasets: Readonly<Record<string, Rows>>, { dtype = '<f', ...options }: Hdf5Options = {}): Buffer {
  const folder = mkdtempSync(path.join(tmpdir(), 'shardloom-hdf5-'))
  const name = path.join(folder, 'a.hdf5')
  try {
    const file = new File(name, 'w')
    for (const [dataset, rows] of Object.entries(datasets)) {
      const data = Float64Array.from(rows.flat())
      const values =
        dtype === '<d' ? data : dtype === '<f' || dtype === '>f' ? Float32Array.from(data) : Array.from(data)
      file.create_dataset({ name: dataset, data: values, shape: [rows.length, rows[0].length], dtype, ...options })
    }
    file.close()
    return readFileSync(name)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
