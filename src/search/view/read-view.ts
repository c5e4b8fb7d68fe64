/** Opens what is on disk now, and takes over what is newer. */
import type { OpenOptions } from '../../api/search.js'
import { CorruptIndexError } from '../../errors.js'
import { assertPartsThere } from '../../format/live/assert-parts-there.js'
import { logNumbers } from '../../format/live/log-numbers.js'
import { readCurrent } from '../../format/generation/current.js'
import { readParts } from '../../format/live/parts-file.js'
import { shareMemory } from '../live/share-memory.js'
import { loadLive, readOn } from '../live/load-live.js'
import type { Part } from '../live/part.js'
import { openGeneration, type OpenGeneration } from '../open-generation.js'
import { makeView, shownBy, type OpenLive, type OpenView } from './open-view.js'
import type { Refreshed } from './views.js'

/** Opens the live generation and the changes since. @throws as openToRead */
export function openView(path: string, options: OpenOptions): Promise<OpenView> {
  return withoutRaces(path, async () => {
    if ((await readParts(path)) === undefined) {
      await assertPartsThere(path)
      return makeView(path, await openGeneration(path, options), undefined)
    }
    const base = (await readCurrent(path)) && (await openGeneration(path, shareMemory(options).base))
    let live: OpenLive | undefined
    try {
      live = await openLive(path, base, options)
      const view = makeView(path, base, live)
      if (await isLive(path, view)) return view
      // PARTS may be of a newer one, and without what that contains.
      throw new CorruptIndexError(path, `CURRENT named ${view.facts.generation} a moment ago`)
    } catch (error) {
      await base?.close()
      for (const { part } of live?.state.sealed ?? []) await part.close()
      throw error
    }
  })
}

/** Takes over another generation by another view; other parts, and more changes, in the view itself. */
export async function refreshView(view: OpenView, path: string, options: OpenOptions): Promise<Refreshed> {
  if (!(await isLive(path, view))) return openView(path, options)
  return withoutRaces(path, async () => {
    const parts = await readParts(path)
    if (parts === undefined) return false
    const { live } = view
    if (live !== undefined && JSON.stringify(parts) === live.parts) {
      const read = await readOnIfSound(path, live)
      if (read !== undefined) return read
    }
    const old = live?.state.sealed.map(({ part }) => part) ?? []
    const next = await openLive(path, view.base, options, new Map(old.map((part) => [part.name, part])))
    // PARTS may be of a newer generation, and without what that contains.
    const isSame = await isLive(path, view)
    const kept = new Set<Part>((isSame ? next : live)?.state.sealed.map(({ part }) => part))
    const left = isSame ? old : next.state.sealed.map(({ part }) => part)
    if (isSame) view.live = next
    for (const part of left) if (!kept.has(part)) await part.close()
    return isSame || openView(path, options)
  })
}

async function isLive(path: string, { facts }: OpenView): Promise<boolean> {
  return ((await readCurrent(path))?.generation ?? '') === facts.generation
}

/**
 * Undefined when the log cannot be read on: what was read of it may have been a write that failed, and was cut off
 * again. So it is no damage before it is found again from the beginning.
 */
async function readOnIfSound(path: string, live: OpenLive): Promise<boolean | undefined> {
  try {
    return await readOn(path, live)
  } catch (error) {
    if (error instanceof CorruptIndexError) return undefined
    throw error
  }
}

async function openLive(
  path: string,
  base: OpenGeneration | undefined,
  options: OpenOptions,
  opened?: ReadonlyMap<string, Part>,
): Promise<OpenLive> {
  const parts = await readParts(path)
  if (parts === undefined) throw new CorruptIndexError(path, 'live/PARTS was there a moment ago')
  const { state, tail } = await loadLive(path, parts, base, shareMemory(options).part, opened)
  return { state, tail, parts: JSON.stringify(parts), shown: shownBy(options) }
}

/** Repeats what fails because files were replaced and deleted while it read them. */
async function withoutRaces<Result>(path: string, read: () => Promise<Result>): Promise<Result> {
  for (;;) {
    const before = await marks(path)
    try {
      return await read()
    } catch (error) {
      if (!(error instanceof CorruptIndexError) || (await marks(path)) === before) throw error
    }
  }
}

async function marks(path: string): Promise<string> {
  // What is damaged fails when it is read, with its own message.
  const [current, parts] = await Promise.all([readCurrent(path), readParts(path)])
  return JSON.stringify([current, parts, parts && (await logNumbers(path))])
}
