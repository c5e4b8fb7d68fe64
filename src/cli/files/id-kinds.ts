/** Text and integers are different ids: "7" is not 7. Files of ids are where they are mixed up. */
import type { Id } from '../../api/vectors.js'
import { InvalidFileError, InvalidOptionError } from '../../errors.js'
import type { VectorIndex } from '../../search/vector-index.js'
import { readIdLines } from '../../sources/lines/read-id-lines.js'

/** Characters of a line that looks like an id, not like numbers. */
const MAX_LIKELY_ID = 200
/** Ids of a batch that are looked up. */
const SAMPLED = 100

/** What the index has in place of a text id that is the digits of an integer; undefined when it has no such id. */
export function integerInstead(index: VectorIndex, id: Id): number | undefined {
  if (typeof id !== 'string' || !/^-?(0|[1-9]\d{0,15})$/.test(id)) return undefined
  const integer = Number(id)
  return Number.isSafeInteger(integer) && has(index, integer) && !has(index, id) ? integer : undefined
}

/** An argument is text, or the integer that the index has. @throws InvalidOptionError when it has both */
export function idOfArgument(index: VectorIndex, word: string): Id {
  const integer = Number(word)
  const isInteger = String(integer) === word && Number.isSafeInteger(integer)
  if (isInteger && has(index, word) && has(index, integer)) {
    throw new InvalidOptionError(
      `${index.path} has both the integer ${word} and the text "${word}": give one of them by --ids, in a .jsonl file`,
    )
  }
  return integerInstead(index, word) ?? word
}

/** @throws InvalidOptionError when all ids are text and the index has the same ones as integers */
export function assertSameKind(index: VectorIndex, ids: readonly Id[], path: string): void {
  const sample = ids.slice(0, SAMPLED)
  const known = sample.filter((id) => has(index, id))
  const integers = sample.map((id) => integerInstead(index, id)).filter((id) => id !== undefined)
  if (known.length === 0 && integers.length > 0) throw integersExpected(index.path, path, integers[0])
}

export function integersExpected(indexPath: string, path: string, integer: number): InvalidOptionError {
  return new InvalidOptionError(
    `the ids of ${path} are text, and ${indexPath} has them as integers: it has ${integer}, and "${integer}" would be ` +
      'another id; give integers, one a line in a file named .jsonl, or from a column of integers',
  )
}

/** For a file of ids where vectors are expected: the error says so. */
export async function withIdsAdvice<Result>(inputs: readonly string[], read: () => Promise<Result>): Promise<Result> {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof InvalidFileError) || !inputs.includes(error.path)) throw error
    if (!(await beginsWithIds(error.path))) throw error
    throw new InvalidFileError(
      error.path,
      'it has an id on each line, and vectors are expected: pass it as --ids, beside the file of their vectors',
      { cause: error },
    )
  }
}

/** Whether the first lines are short, and ids as an id file has them. */
async function beginsWithIds(path: string): Promise<boolean> {
  if (path === '-') return false
  try {
    for await (const ids of readIdLines(path)) {
      return ids.every((id) => typeof id === 'number' || (id.length <= MAX_LIKELY_ID && !/[[{,\t]/.test(id)))
    }
  } catch (error) {
    if (!(error instanceof InvalidFileError)) throw error
  }
  return false
}

export function has(index: VectorIndex, id: Id): boolean {
  return index.get(id) !== undefined
}
