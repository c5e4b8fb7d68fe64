const FIRST_BYTES = 4096
const MAX_BYTES = 2 ** 32 - 1
/** Shorter text is copied here; the engine's own copy takes longer to call. */
const SHORT_TEXT = 48

/** Little-endian values, one after another, in a buffer that grows. */
export class ByteWriter {
  end = 0
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #view = viewOf(this.#buffer)

  u8(value: number): void {
    this.#reserve(1)
    this.#buffer[this.end++] = value
  }

  u32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.end, value, true)
    this.end += 4
  }

  f64(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.end, value, true)
    this.end += 8
  }

  /** u32 length and UTF-8. The text is well-formed. */
  text(text: string): void {
    // A UTF-16 unit takes at most 3 bytes.
    this.#reserve(4 + 3 * text.length)
    const bytes = this.#utf8(text, this.end + 4)
    this.#view.setUint32(this.end, bytes, true)
    this.end += 4 + bytes
  }

  /** Room for `count` bytes that are 0. */
  zeros(count: number): void {
    this.#reserve(count)
    this.#buffer.fill(0, this.end, this.end + count)
    this.end += count
  }

  setBit(at: number, bit: number): void {
    this.#buffer[at + (bit >> 3)] |= 1 << (bit & 7)
  }

  /** Bytes that are encoded already. */
  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.end)
    this.end += bytes.length
  }

  /** A copy of the first `end` bytes. */
  copy(): Uint8Array {
    const bytes = new Uint8Array(this.end)
    bytes.set(this.#buffer.subarray(0, this.end))
    return bytes
  }

  #utf8(text: string, at: number): number {
    const buffer = this.#buffer
    const { length } = text
    if (length > SHORT_TEXT) return buffer.write(text, at, 'utf8')
    for (let i = 0; i < length; i++) {
      const unit = text.charCodeAt(i)
      if (unit > 0x7f) return buffer.write(text, at, 'utf8')
      buffer[at + i] = unit
    }
    return length
  }

  #reserve(bytes: number): void {
    const needed = this.end + bytes
    if (needed <= this.#buffer.length) return
    if (needed > MAX_BYTES) throw new RangeError('the fields of one batch take more than 4 GiB; give smaller batches')
    const grown = Buffer.allocUnsafeSlow(Math.min(MAX_BYTES, Math.max(needed, 2 * this.#buffer.length)))
    grown.set(this.#buffer.subarray(0, this.end))
    this.#buffer = grown
    this.#view = viewOf(grown)
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
