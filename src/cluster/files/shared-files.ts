import path from 'node:path'
import type { Place } from '../messages.js'
import { writeNewFile } from './data-file.js'
import { bytesOf, viewsIn, type View } from './plain-data.js'

/** Smaller arrays go with each task: a file would cost hosts more. */
const LEAST_BYTES = 4096

/** Arrays that many tasks get, each written once, when the first task takes it. */
export class SharedFiles {
  readonly #folder: string
  readonly #relativeFolder: string
  /** By memory, then by range in it. */
  readonly #known = new WeakMap<ArrayBufferLike, Map<string, { written: Promise<Place> | undefined }>>()
  #count = 0
  #bytes = 0

  /** `relativeFolder` names it in places. */
  constructor(folder: string, relativeFolder: string) {
    this.#folder = folder
    this.#relativeFolder = relativeFolder
  }

  /** Bytes written. */
  get bytes(): number {
    return this.#bytes
  }

  /** All arrays in `value`. An array that was shared before is written again: its content may be another. */
  share(value: object): void {
    for (const view of viewsIn(value)) {
      if (view.byteLength < LEAST_BYTES) continue
      const ranges = this.#known.get(view.buffer) ?? new Map<string, { written: Promise<Place> | undefined }>()
      ranges.set(rangeOf(view), { written: undefined })
      this.#known.set(view.buffer, ranges)
    }
  }

  /** The places of the shared arrays in a task. @throws DiskFullError and other file errors */
  async placesIn(task: object): Promise<ReadonlyMap<View, Place>> {
    const places = new Map<View, Place>()
    for (const view of viewsIn(task)) {
      const entry = this.#known.get(view.buffer)?.get(rangeOf(view))
      if (entry === undefined || places.has(view)) continue
      entry.written ??= this.#write(view)
      try {
        places.set(view, await entry.written)
      } catch (error) {
        // The next task tries again.
        entry.written = undefined
        throw error
      }
    }
    return places
  }

  async #write(view: View): Promise<Place> {
    const name = `shared-${this.#count++}.bin`
    const place = await writeNewFile(path.join(this.#folder, name), `${this.#relativeFolder}/${name}`, [bytesOf(view)])
    this.#bytes += place.bytes
    return place
  }
}

function rangeOf({ byteOffset, byteLength }: View): string {
  return `${byteOffset}:${byteLength}`
}
