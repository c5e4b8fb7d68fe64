import type { VectorSource, SourceItem } from '../../api/vectors.js'
import { isThenable, kindOf, letGo } from '../../wording/value-kind.js'
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
      let step: IteratorResult<SourceItem | PromiseLike<SourceItem>>
      try {
        step = checkStep(await wait.for(iterator.next()))
      } catch (error) {
        ended = !wait.givenUp && !(error instanceof AbortedError)
        throw sourceError(error, ordinal())
      }
      if (step.done === true) {
        ended = true
        return
      }
      const { value } = step
      // As `for await` does: an array of promises gives what they resolve with.
      if (isThenable<SourceItem>(value)) {
        yield await wait.for(value).catch((error: unknown) => {
          throw sourceError(error, ordinal())
        })
      } else yield value
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

function sourceError(error: unknown, ordinal: number): ShardloomError {
  return error instanceof ShardloomError ? error : new SourceError(ordinal, error)
}

function checkStep(step: unknown): IteratorResult<SourceItem | PromiseLike<SourceItem>> {
  if (typeof step === 'object' && step !== null) return step as IteratorResult<SourceItem>
  throw new InvalidOptionError(`next() of the source must give { value, done }, got ${kindOf(step)}`)
}

function iteratorOf(source: VectorSource): AsyncIterator<SourceItem> | Iterator<SourceItem> {
  const given: unknown = source
  if (typeof given === 'object' && given !== null && !ArrayBuffer.isView(given)) {
    if (Symbol.asyncIterator in source) return source[Symbol.asyncIterator]()
    if (Symbol.iterator in source) return source[Symbol.iterator]()
  }
  const fix = isThenable(given) ? ': await it' : ''
  if (isThenable(given)) letGo(given)
  throw new InvalidOptionError(
    `source must be a sync or async iterable of { id?, vector } records or { ids?, vectors, dimensions } batches, ` +
      `or a function that gives one from an ordinal on, got ${kindOf(given)}${fix}`,
  )
}
