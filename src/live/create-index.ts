import { resolve } from 'node:path'
import type { FieldSchema } from '../api/fields.js'
import type { CreateOptions } from '../api/live.js'
import type { Id } from '../api/vectors.js'
import { PathError } from '../errors.js'
import { assertFields } from '../fields/schema.js'
import { readCurrent } from '../format/generation/current.js'
import { readParts, withFields } from '../format/live/parts-file.js'
import { checkOptions } from '../options/check-options.js'
import { createOptionsSchema } from '../options/live-options.js'
import { checkQuantization } from '../options/resolve-options.js'
import { checkPath } from '../sources/check-path.js'
import { LiveIndex } from './live-index.js'

/**
 * Makes an index without vectors, and opens it for writing. Its first build is a compaction, or `buildIndex`. Filters and
 * hits are typed by `fields`.
 * @throws PathError when there is an index already; InvalidOptionError, IndexLockedError
 */
export function createIndex<const Schema extends FieldSchema = FieldSchema>(
  path: string,
  options: CreateOptions & { readonly fields?: Schema; readonly integerIds: 'bigint' },
): Promise<LiveIndex<string | bigint, Schema>>
export function createIndex<const Schema extends FieldSchema = FieldSchema>(
  path: string,
  options: CreateOptions & { readonly fields?: Schema },
): Promise<LiveIndex<Id, Schema>>
export async function createIndex(path: string, given: CreateOptions): Promise<LiveIndex | LiveIndex<string | bigint>> {
  checkPath(path, 'the index directory')
  const place = resolve(path)
  const { dimensions, metric, m, quantization, quality, seed, duplicates, fields, ...options } = checkOptions(
    createOptionsSchema,
    given,
  )
  checkQuantization(metric, quantization)
  if ((await readCurrent(place)) !== undefined || (await readParts(place)) !== undefined) {
    throw new PathError(
      place,
      'there is an index already; open it with openIndex(path, { write: true }), or use shardloom upsert',
    )
  }
  const repeatedIds = duplicates === 'keep' && ({ repeatedIds: true } as const)
  const settings = { dimensions, metric, m, quantization, quality, seed, ...repeatedIds }
  return LiveIndex.open(place, options, withFields(settings, fields && assertFields(fields)))
}
