/** Scans since its last use after which a column may be dropped for another one. */
const STALE_SCANS = 16

/** What may be held in memory whole. */
export interface Holdable {
  /** Bytes that it takes when it is held. */
  readonly heldBytes: number
  drop(): void
}

/**
 * The memory for columns. A column is held from its first scan on where there is room. Where there is none it takes the
 * place of columns that were not used for a while; until then it is read again by each scan: two columns that take turns
 * in one place would be read whole each time, and allocated too.
 */
export class FieldMemory {
  readonly #budgetBytes: number
  /** With the number of its last use, the least recently used first. */
  readonly #held = new Map<Holdable, number>()
  #heldBytes = 0
  #scans = 0

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes
  }

  /** Whether it may be held, now that it is scanned. Others are dropped for it. */
  holds(wanted: Holdable): boolean {
    this.#scans++
    if (!this.#held.delete(wanted)) {
      if (!this.#makeRoom(wanted.heldBytes)) return false
      this.#heldBytes += wanted.heldBytes
    }
    this.#held.set(wanted, this.#scans)
    return true
  }

  #makeRoom(bytes: number): boolean {
    if (bytes > this.#budgetBytes) return false
    let free = this.#budgetBytes - this.#heldBytes
    const stale: Holdable[] = []
    for (const [held, lastUse] of this.#held) {
      if (free >= bytes || this.#scans - lastUse <= STALE_SCANS) break
      stale.push(held)
      free += held.heldBytes
    }
    if (free < bytes) return false
    for (const held of stale) {
      this.#held.delete(held)
      this.#heldBytes -= held.heldBytes
      held.drop()
    }
    return true
  }
}
