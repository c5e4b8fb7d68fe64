/**
 * An index and the changes since it was built: base, sealed parts and changes in memory. At most one row of an id is
 * alive in all of them together; where ids may repeat, the rows that came with its last change are.
 */
import { lastSequenceOf, sequenceOf, type Change } from '../../format/live/log-change.js'
import { logName } from '../../format/live/live-paths.js'
import type { LiveSettings, PartEntry } from '../../format/live/parts-file.js'
import type { Id } from '../../api/vectors.js'
import { AliveRows } from './alive-rows.js'
import type { GraphPart } from './graph-part.js'
import { MemoryPart } from './memory-part.js'
import type { Part, PartView } from './part.js'

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
  settings: LiveSettings
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
    this.settings = withRepeats(settings, base)
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

  /** The rows of an id: none, one, or several where ids may repeat. */
  find(id: Id): readonly Address[] {
    for (const view of this.views) {
      const alive = rowsOf(view.part, id, this.settings).filter((row) => view.alive.has(row))
      if (alive.length > 0) return alive.map((row) => ({ view, row }))
    }
    return []
  }

  /** Puts another base under the changes. */
  replaceBase(base: PartView<GraphPart>, baseSequence: number): void {
    this.settings = withRepeats(this.settings, base)
    this.base = base
    this.baseSequence = baseSequence
    this.lastSequence = Math.max(this.lastSequence, baseSequence)
    this.version++
  }

  /**
   * Applies a change of the newest log. What the base contains is left out. Returns how many rows it removed or replaced.
   */
  apply(change: Change): number {
    const memory = this.memories.at(-1)
    if (memory === undefined) throw new Error('no memory part takes changes')
    const { ids, kind } = change
    const lastSequence = lastSequenceOf(change)
    const isInBase = lastSequence <= this.baseSequence
    // Found before anything is changed: a damaged file ends it, and the state is as before.
    const old = isInBase ? NONE : new OldRows(this.views, ids, this.settings)
    this.version++
    this.lastSequence = Math.max(this.lastSequence, lastSequence)
    // The base contains a change whole, or not at all.
    if (isInBase) return 0
    const killed = old.kill()
    if (kind === 'delete') {
      for (const [at, id] of ids.entries()) memory.part.deletes.set(id, sequenceOf(change, at))
      return killed
    }
    const first = memory.part.append(change)
    memory.alive.grow(memory.part.rows)
    if (this.settings.repeatedIds === true) return killed
    for (const [at, id] of ids.entries()) if (memory.part.rowOf(id) !== first + at) memory.alive.kill(first + at)
    return killed
  }
}

/** Whether an id may have several rows. */
interface IdsKind {
  readonly repeatedIds?: boolean
}

/** Kills the rows of an id in parts. Returns whether any was alive. */
export function killIn(views: readonly PartView[], id: Id, settings: IdsKind): boolean {
  let killed = false
  for (const { part, alive } of views) {
    for (const row of rowsOf(part, id, settings)) if (alive.kill(row)) killed = true
    // At most one row of an id that does not repeat is alive.
    if (killed && settings.repeatedIds !== true) return true
  }
  return killed
}

/** Rows of an id in a part, alive or dead. One look-up is enough where ids do not repeat. */
export function rowsOf(part: Part, id: Id, { repeatedIds }: IdsKind): readonly number[] {
  if (repeatedIds === true) return part.rowsOf(id)
  const row = part.rowOf(id)
  return row === undefined ? [] : [row]
}

/** A build may have kept several vectors of an id where the changes before did not. */
function withRepeats(settings: LiveSettings, base: PartView<GraphPart> | undefined): LiveSettings {
  if (base?.part.open.facts.repeatedIds !== true || settings.repeatedIds === true) return settings
  return { ...settings, repeatedIds: true }
}

/** The rows that ids have now, without an object for each. */
class OldRows {
  readonly #views: readonly PartView[]
  /** Of each row: the position of its view, and of its id. */
  readonly #viewOf: number[] = []
  readonly #idOf: number[] = []
  readonly #rows: number[] = []

  constructor(views: readonly PartView[], ids: readonly Id[], settings: IdsKind) {
    this.#views = views
    for (const [at, id] of ids.entries()) {
      for (const [view, { part, alive }] of views.entries()) {
        const before = this.#rows.length
        for (const row of rowsOf(part, id, settings)) {
          if (!alive.has(row)) continue
          this.#viewOf.push(view)
          this.#idOf.push(at)
          this.#rows.push(row)
        }
        // At most one row of an id that does not repeat is alive.
        if (this.#rows.length > before && settings.repeatedIds !== true) break
      }
    }
  }

  /** Returns how many ids had any; an id that was given twice counts once. */
  kill(): number {
    let killed = 0
    let last = -1
    for (const [at, row] of this.#rows.entries()) {
      const id = this.#idOf[at]
      if (!this.#views[this.#viewOf[at]].alive.kill(row) || id === last) continue
      killed++
      last = id
    }
    return killed
  }
}

const NONE = new OldRows([], [], {})
