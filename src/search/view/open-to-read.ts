import { resolve } from 'node:path'
import type { OpenOptions } from '../../api/search.js'
import type { Id } from '../../api/vectors.js'
import { checkPath } from '../../sources/check-path.js'
import { checkOptions } from '../../options/check-options.js'
import { openOptionsSchema } from '../../options/search-options.js'
import { openView, refreshView } from './read-view.js'
import { VectorIndex } from '../vector-index.js'

/**
 * Opens the live generation of an index directory, and the changes since it was built: its manifest and the headers of
 * its files. Vectors, links and ids are read when a search needs them, or all at once in advance (`preload`). Each block
 * of a file is compared with its checksum when it is first read, and everything a search follows is checked besides: no
 * file, however made, leads a search out of its memory.
 * @throws PathError when there is no index at `path`; CorruptIndexError when a byte is not what it was, or is what no
 * build writes; InsufficientMemoryError when `memory` is too little to search in, or to preload into.
 */
export async function openToRead(path: string, given: OpenOptions = {}): Promise<VectorIndex<Id>> {
  checkPath(path, 'the index directory')
  // `refresh` and `tune` come later, when the process may work in another folder.
  const place = resolve(path)
  const options = checkOptions(openOptionsSchema, given)
  return new VectorIndex<Id>(await openView(place, options), (view) => refreshView(view, place, options))
}
