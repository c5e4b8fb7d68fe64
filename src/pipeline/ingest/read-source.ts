import type { VectorSource, SourceItem } from '../../api/vectors.js'
import type { SourceWait } from './source-wait.js'
import { AbortedError, ShardloomError, SourceError, InvalidOptionError } from '../../errors.js'

/**
 * Yields the items of the source. Wraps an error that the source throws in SourceError, and passes a ShardloomError
 * unchanged. An abort ends the wait for a source that gives nothing.
 */
export async function* readSource(
  source: VectorSource,
  ordinal: () => number,
  wait: SourceWait,
): AsyncGenerator<SourceItem> {
  const iterator = iteratorOf(source)
  let ended = false
  try {
    for (;;) {
      let step: IteratorResult<SourceItem>
      try {
        step = await wait.for(iterator.next())
      } catch (error) {
        ended = !wait.givenUp && !(error instanceof AbortedError)
        throw error instanceof ShardloomError ? error : new SourceError(ordinal(), error)
      }
      if (step.done === true) {
        ended = true
        return
      }
      yield step.value
    }
  } finally {
    wait.close()
    // The build ended first, so the source may close its files. A source that did not answer is not awaited, and its
    // later answers are ignored.
    const closing = ended ? undefined : Promise.resolve(iterator.return?.())
    if (wait.givenUp) closing?.catch(() => undefined)
    else await closing
  }
}

function iteratorOf(source: VectorSource): AsyncIterator<SourceItem> | Iterator<SourceItem> {
  const given: unknown = source
  if (typeof given === 'object' && given !== null && !ArrayBuffer.isView(given)) {
    if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]()
    if (Symbol.iterator in source) return source[Symbol.iterator]()
  }
  throw new InvalidOptionError(
    `source must be a sync or async iterable of { id?, vector } records or { ids?, vectors, dimensions } batches, ` +
      `or a function that gives one from an ordinal on`,
  )
}
