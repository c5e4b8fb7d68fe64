import { open } from 'node:fs/promises'
import { crc32 } from '../../../spill/files/crc32.js'
import { readAt } from '../../../spill/files/read-at.js'
import { spillFailure } from '../../../spill/files/spill-failure.js'
import { CorruptSpillError } from '../../errors.js'
import type { Place } from '../messages.js'
import { checkSize } from './data-file.js'

/** Read and checked piece by piece: large enough for a mount with latency, small enough to be in a cache when it is checked. */
const CHUNK_BYTES = 4 * 2 ** 20

interface Entry {
  readonly bytes: number
  readonly memory: Promise<SharedArrayBuffer>
  /** Tasks that have it. */
  users: number
}

/** An array for one task. Give it back when the task is done. */
export interface LentArray {
  readonly memory: SharedArrayBuffer
  readonly release: () => void
}

/**
 * The arrays of one build that many tasks get, read once per host and seen by all its threads. Those that no task has
 * stay as long as all together are at most `limitBytes`; the one not used for longest goes first.
 */
export class SharedArrays {
  readonly #limitBytes: number
  /** The one used last is the last. */
  readonly #entries = new Map<string, Entry>()
  #bytes = 0

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  /** Bytes of all arrays. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * The array at `place`, in `file`.
   * @throws CorruptSpillError when its bytes are others, SHARDLOOM_SPILL_FAILED when they cannot be read
   */
  async lend(file: string, place: Place): Promise<LentArray> {
    const key = JSON.stringify([place.file, place.offset, place.bytes, place.crc])
    const entry = this.#entries.get(key) ?? this.#add(key, file, place)
    entry.users++
    this.#entries.delete(key)
    this.#entries.set(key, entry)
    let isHeld = true
    const release = (): void => {
      if (!isHeld) return
      isHeld = false
      entry.users--
      this.#dropIdle(0)
    }
    try {
      return { memory: await entry.memory, release }
    } catch (error) {
      // The next task reads it again.
      if (this.#entries.get(key) === entry) this.#drop(key, entry)
      throw error
    }
  }

  #add(key: string, file: string, place: Place): Entry {
    this.#dropIdle(place.bytes)
    const entry = { bytes: place.bytes, memory: readArray(file, place), users: 0 }
    this.#entries.set(key, entry)
    this.#bytes += place.bytes
    return entry
  }

  /** Makes room for as many bytes, as far as idle arrays go. */
  #dropIdle(roomBytes: number): void {
    for (const [key, entry] of this.#entries) {
      if (this.#bytes + roomBytes <= this.#limitBytes) return
      if (entry.users === 0) this.#drop(key, entry)
    }
  }

  #drop(key: string, entry: Entry): void {
    this.#entries.delete(key)
    this.#bytes -= entry.bytes
  }
}

async function readArray(file: string, place: Place): Promise<SharedArrayBuffer> {
  try {
    const handle = await open(file, 'r')
    try {
      await checkSize(handle, file, place)
      const memory = new SharedArrayBuffer(place.bytes)
      let crc = 0
      for (let at = 0; at < place.bytes; at += CHUNK_BYTES) {
        const piece = new Uint8Array(memory, at, Math.min(CHUNK_BYTES, place.bytes - at))
        const got = await readAt(handle, piece, place.offset + at)
        if (got < piece.length) throw new CorruptSpillError(file, place.offset + at + got, 'the file ends in an array')
        crc = crc32(piece, crc)
      }
      if (crc !== place.crc) {
        const [found, expected] = [crc.toString(16), place.crc.toString(16)]
        throw new CorruptSpillError(file, place.offset, `the array's crc32 is ${found}, expected ${expected}`)
      }
      return memory
    } finally {
      await handle.close()
    }
  } catch (error) {
    throw await spillFailure(file, 'read an array that tasks share', 0, error)
  }
}
