import { resolve } from 'node:path'
import type { IndexFacts, OpenOptions } from '../api/search.js'
import type { Id } from '../api/vectors.js'
import { CorruptIndexError } from '../errors.js'
import { checkPath } from '../sources/check-path.js'
import { readCurrent } from '../format/generation/current.js'
import { checkOptions } from '../options/check-options.js'
import { openOptionsSchema } from '../options/search-options.js'
import { openGeneration, type OpenGeneration } from './open-generation.js'
import { VectorIndex } from './vector-index.js'

/**
 * Opens the live generation of an index directory: its manifest and the headers of its files. Vectors, links and ids
 * are read when a search needs them, or all at once in advance (`preload`). Each block of a file is compared with its
 * checksum when it is first read, and everything a search follows is checked besides: no file, however made, leads a
 * search out of its memory.
 * @throws PathError when there is no index at `path`; CorruptIndexError when a byte is not what it was, or is what no
 * build writes; InsufficientMemoryError when `memory` is too little to search in, or to preload into.
 */
export function openIndex(
  path: string,
  options: OpenOptions & { readonly integerIds: 'bigint' },
): Promise<VectorIndex<string | bigint>>
export function openIndex(path: string, options?: OpenOptions): Promise<VectorIndex>
export async function openIndex(
  path: string,
  given: OpenOptions = {},
): Promise<VectorIndex | VectorIndex<string | bigint>> {
  checkPath(path, 'the index directory')
  // `refresh` and `tune` come later, when the process may work in another folder.
  const place = resolve(path)
  const options = checkOptions(openOptionsSchema, given)
  const openNewer = async ({ generation }: IndexFacts): Promise<OpenGeneration | undefined> => {
    const current = await readCurrent(place)
    return current?.generation === generation ? undefined : openCurrent(place, options)
  }
  return new VectorIndex<Id>(await openCurrent(place, options), openNewer)
}

async function openCurrent(path: string, options: OpenOptions): Promise<OpenGeneration> {
  for (;;) {
    const before = await readCurrent(path)
    try {
      return await openGeneration(path, options)
    } catch (error) {
      // A publish may have deleted the generation while it was read; then there is a newer one.
      const now = error instanceof CorruptIndexError ? await readCurrent(path) : before
      if (now?.generation === before?.generation && now?.manifestCrc32 === before?.manifestCrc32) throw error
    }
  }
}
