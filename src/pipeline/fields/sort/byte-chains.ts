/** The first place is small, because most chains are short; each further one is twice as large. */
const SMALLEST_PLACE = 16
const LARGEST_PLACE = 4096
/** At the end of a place: where the next one begins. */
const LINK_BYTES = 4
const FIRST_BYTES = 2 ** 16
const FIRST_CHAINS = 2 ** 10
const CHAIN_BYTES = 18

/** Many strings of bytes that grow at the same time, in one array. */
export class ByteChains {
  #bytes = new Uint8Array(FIRST_BYTES)
  #used = 0
  #count = 0
  /** By chain: where its first place begins, where its next byte goes, where its last place ends, and its length. */
  #head = new Uint32Array(FIRST_CHAINS)
  #at = new Uint32Array(FIRST_CHAINS)
  #end = new Uint32Array(FIRST_CHAINS)
  #length = new Uint32Array(FIRST_CHAINS)
  /** Bytes of the last place. */
  #place = new Uint16Array(FIRST_CHAINS)

  /** Bytes in use; arrays are doubled as they fill. */
  get usedBytes(): number {
    return this.#used + CHAIN_BYTES * this.#count
  }

  length(chain: number): number {
    return this.#length[chain]
  }

  /** Begins the next chain: they are numbered from 0. */
  begin(): void {
    const chain = this.#count++
    if (this.#count > this.#head.length) {
      this.#head = doubled(this.#head)
      this.#at = doubled(this.#at)
      this.#end = doubled(this.#end)
      this.#length = doubled(this.#length)
      const place = new Uint16Array(2 * this.#place.length)
      place.set(this.#place)
      this.#place = place
    }
    this.#head[chain] = this.#at[chain] = this.#take(SMALLEST_PLACE)
    this.#end[chain] = this.#used - LINK_BYTES
    this.#length[chain] = 0
    this.#place[chain] = SMALLEST_PLACE
  }

  append(chain: number, bytes: Uint8Array, length: number): void {
    for (let i = 0; i < length; i++) {
      if (this.#at[chain] === this.#end[chain]) this.#extend(chain)
      this.#bytes[this.#at[chain]++] = bytes[i]
    }
    this.#length[chain] += length
  }

  /** Copies all bytes of a chain. */
  copy(chain: number, into: Uint8Array, at: number): void {
    let place = this.#head[chain]
    let placeBytes = SMALLEST_PLACE
    for (let left = this.#length[chain]; left > 0;) {
      const length = Math.min(left, placeBytes - LINK_BYTES)
      for (let i = 0; i < length; i++) into[at++] = this.#bytes[place + i]
      left -= length
      if (left > 0) place = this.#linkAt(place + length)
      placeBytes = Math.min(2 * placeBytes, LARGEST_PLACE)
    }
  }

  /** Forgets all chains and keeps the memory. */
  clear(): void {
    this.#used = this.#count = 0
  }

  #extend(chain: number): void {
    const link = this.#end[chain]
    this.#place[chain] = Math.min(2 * this.#place[chain], LARGEST_PLACE)
    const place = this.#take(this.#place[chain])
    for (let i = 0; i < LINK_BYTES; i++) this.#bytes[link + i] = place >>> (8 * i)
    this.#at[chain] = place
    this.#end[chain] = this.#used - LINK_BYTES
  }

  #take(bytes: number): number {
    const at = this.#used
    this.#used += bytes
    if (this.#used > this.#bytes.length) {
      const longer = new Uint8Array(2 * this.#bytes.length)
      longer.set(this.#bytes)
      this.#bytes = longer
    }
    return at
  }

  #linkAt(at: number): number {
    const bytes = this.#bytes
    return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0
  }
}

function doubled(words: Uint32Array): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(2 * words.length)
  longer.set(words)
  return longer
}
