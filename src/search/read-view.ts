/** Opens what is on disk now, and takes over what is newer. */
import type { OpenOptions } from '../api/search.js'
import { CorruptIndexError } from '../errors.js'
import { readCurrent } from '../format/generation/current.js'
import { readParts } from '../format/live/parts-file.js'
import { shareMemory } from './live/share-memory.js'
import { loadLive, readOn } from './live/load-live.js'
import type { Part } from './live/part.js'
import { openGeneration, type OpenGeneration } from './open-generation.js'
import { makeView, shownBy, type OpenLive, type OpenView } from './open-view.js'
import type { Refreshed } from './views.js'

/** Opens the live generation and the changes since. @throws as openToRead */
export function openView(path: string, options: OpenOptions): Promise<OpenView> {
  return withoutRaces(path, async () => {
    if ((await readParts(path)) === undefined) return makeView(path, await openGeneration(path, options), undefined)
    const base = (await readCurrent(path)) && (await openGeneration(path, shareMemory(options).base))
    try {
      return makeView(path, base, await openLive(path, base, options))
    } catch (error) {
      await base?.close()
      throw error
    }
  })
}

/** Takes over another generation by another view; other parts, and more changes, in the view itself. */
export async function refreshView(view: OpenView, path: string, options: OpenOptions): Promise<Refreshed> {
  const current = await readCurrent(path)
  if ((current?.generation ?? '') !== view.facts.generation) return openView(path, options)
  return withoutRaces(path, async () => {
    const parts = await readParts(path)
    if (parts === undefined) return false
    const { live } = view
    if (live !== undefined && JSON.stringify(parts) === live.parts) return readOn(path, live)
    const old = live?.state.sealed.map(({ part }) => part) ?? []
    view.live = await openLive(path, view.base, options, new Map(old.map((part) => [part.name, part])))
    const kept = new Set<Part>(view.live.state.sealed.map(({ part }) => part))
    for (const part of old) if (!kept.has(part)) await part.close()
    return true
  })
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
  return JSON.stringify([current, parts])
}
