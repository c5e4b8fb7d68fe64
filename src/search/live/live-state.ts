/**
 * An index and the changes since it was built: base, sealed parts and changes in memory. At most one row of an id is
 * alive in all of them together.
 */
import { lastSequenceOf, type Change } from '../../format/live/log-change.js'
import { logName } from '../../format/live/live-paths.js'
import type { LiveSettings, PartEntry } from '../../format/live/parts-file.js'
import type { Id } from '../../api/vectors.js'
import { AliveRows } from './alive-rows.js'
import type { GraphPart } from './graph-part.js'
import { MemoryPart } from './memory-part.js'
import type { PartView } from './part.js'

export interface SealedView extends PartView {
  readonly entry: PartEntry
}

export interface MemoryView extends PartView<MemoryPart> {
  /** The log that it is in. */
  readonly log: number
  /** The first change that may be in it. */
  readonly firstSequence: number
}

/** Where a row is. */
export interface Address {
  readonly view: PartView
  readonly row: number
}

export class LiveState {
  readonly settings: LiveSettings
  /** Undefined before the first build. */
  base: PartView<GraphPart> | undefined
  /** Changes up to this one are in the base. */
  baseSequence: number
  /** Oldest first. */
  sealed: readonly SealedView[] = []
  /** One for each log, oldest first; the last one takes changes. */
  memories: readonly MemoryView[] = []
  /** Of the last change. */
  lastSequence: number
  /** Counts what was applied, for caches of what follows from it. */
  version = 0

  constructor(settings: LiveSettings, base: PartView<GraphPart> | undefined, baseSequence: number) {
    this.settings = settings
    this.base = base
    this.baseSequence = baseSequence
    this.lastSequence = baseSequence
  }

  /** Newest first. */
  get views(): readonly PartView[] {
    const older = this.base === undefined ? [] : [this.base]
    return [...this.memories.toReversed(), ...this.sealed.toReversed(), ...older]
  }

  /** Vectors in the index. */
  get count(): number {
    return this.views.reduce((sum, { alive }) => sum + alive.alive, 0)
  }

  /** Whether the base is all there is. */
  get isBaseOnly(): boolean {
    return this.base?.alive.dead === 0 && [...this.memories, ...this.sealed].every(({ alive }) => alive.alive === 0)
  }

  /** The next changes go to a part of their own. */
  startMemory(log: number): void {
    const part = new MemoryPart(logName(log), this.settings)
    const view = { part, alive: new AliveRows(0), log, firstSequence: this.lastSequence + 1 }
    this.memories = [...this.memories, view]
  }

  /** The row of an id, if the index has it. */
  find(id: Id): Address | undefined {
    for (const view of this.views) {
      const row = view.part.rowOf(id)
      if (row !== undefined && view.alive.has(row)) return { view, row }
    }
    return undefined
  }

  /**
   * Applies a change of the newest log. What the base contains is left out. Returns how many rows it removed or replaced.
   */
  apply(change: Change): number {
    const memory = this.memories.at(-1)
    if (memory === undefined) throw new Error('no memory part takes changes')
    const { ids, kind, firstSequence, sequences } = change
    const lastSequence = lastSequenceOf(change)
    const isInBase = lastSequence <= this.baseSequence
    // Found before anything is changed: a damaged file ends it, and the state is as before.
    const old = isInBase ? NONE : new OldRows(this.views, ids)
    this.version++
    this.lastSequence = Math.max(this.lastSequence, lastSequence)
    // The base contains a change whole, or not at all.
    if (isInBase) return 0
    const killed = old.kill()
    if (kind === 'delete') {
      for (const [at, id] of ids.entries()) memory.part.deletes.set(id, sequences?.[at] ?? firstSequence + at)
      return killed
    }
    const first = memory.part.append(change)
    memory.alive.grow(memory.part.rows)
    for (const [at, id] of ids.entries()) if (memory.part.rowOf(id) !== first + at) memory.alive.kill(first + at)
    return killed
  }
}

/** The rows that ids have now, without an object for each. */
class OldRows {
  readonly #views: readonly PartView[]
  /** Positions of views; one more than there are for an id that the index has not. */
  readonly #viewOf: Uint16Array
  readonly #rowOf: Uint32Array

  constructor(views: readonly PartView[], ids: readonly Id[]) {
    this.#views = views
    this.#viewOf = new Uint16Array(ids.length)
    this.#rowOf = new Uint32Array(ids.length)
    for (const [at, id] of ids.entries()) {
      let view = 0
      for (; view < views.length; view++) {
        const row = views[view].part.rowOf(id)
        if (row === undefined || !views[view].alive.has(row)) continue
        this.#rowOf[at] = row
        break
      }
      this.#viewOf[at] = view
    }
  }

  /** Returns how many were alive; an id that was given twice counts once. */
  kill(): number {
    let killed = 0
    for (const [at, view] of this.#viewOf.entries()) {
      if (view < this.#views.length && this.#views[view].alive.kill(this.#rowOf[at])) killed++
    }
    return killed
  }
}

const NONE = new OldRows([], [])
