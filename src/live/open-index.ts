import { resolve } from 'node:path'
import type { WriteOptions } from '../api/live.js'
import type { FieldSchema } from '../api/fields.js'
import type { OpenOptions } from '../api/search.js'
import type { Id } from '../api/vectors.js'
import { checkOptions } from '../options/check-options.js'
import { writeOptionsSchema } from '../options/live-options.js'
import { openToRead } from '../search/view/open-to-read.js'
import type { VectorIndex } from '../search/vector-index.js'
import { checkPath } from '../sources/check-path.js'
import { LiveIndex } from './live-index.js'

/**
 * Opens the live generation of an index directory, and the changes since it was built: its manifest and the headers of
 * its files. Vectors, links and ids are read when a search needs them, or all at once in advance (`preload`). Each block
 * of a file is compared with its checksum when it is first read, and everything a search follows is checked besides: no
 * file, however made, leads a search out of its memory.
 *
 * With `write`, it can be changed: one writer at a time, while others read. `Schema` is for the compiler alone, which then
 * knows the fields of filters and hits: `openIndex<typeof schema>(path)`.
 * @throws PathError when there is no index at `path`; CorruptIndexError when a byte is not what it was, or is what no
 * build writes; InsufficientMemoryError when `memory` is too little to search in, or to preload into; IndexLockedError
 * when another writer has it open.
 */
export function openIndex<Schema extends FieldSchema = FieldSchema>(
  path: string,
  options: WriteOptions & { readonly integerIds: 'bigint' },
): Promise<LiveIndex<string | bigint, Schema>>
export function openIndex<Schema extends FieldSchema = FieldSchema>(
  path: string,
  options: WriteOptions,
): Promise<LiveIndex<Id, Schema>>
export function openIndex<Schema extends FieldSchema = FieldSchema>(
  path: string,
  options: OpenOptions & { readonly integerIds: 'bigint' },
): Promise<VectorIndex<string | bigint, Schema>>
export function openIndex<Schema extends FieldSchema = FieldSchema>(
  path: string,
  options?: OpenOptions,
): Promise<VectorIndex<Id, Schema>>
export async function openIndex(
  path: string,
  given: OpenOptions | WriteOptions = {},
): Promise<VectorIndex | VectorIndex<string | bigint>> {
  if (!('write' in given) || (given.write as boolean) === false) return openToRead(path, withoutWrite(given))
  checkPath(path, 'the index directory')
  const { write: _, ...options } = checkOptions(writeOptionsSchema, given)
  return LiveIndex.open(resolve(path), options)
}

function withoutWrite(given: OpenOptions | WriteOptions): OpenOptions {
  if (!('write' in given)) return given
  const { write: _, ...options } = given
  return options
}
