import type { StoredVector } from '../../api/search.js'
import type { Id } from '../../api/vectors.js'
import { EXIT_CODES } from '../../errors.js'
import type { GET_COMMAND_OPTIONS } from '../../options/command-options.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { idOfArgument } from '../files/id-kinds.js'
import type { Session } from '../session.js'

type GetFlags = OptionsOf<typeof GET_COMMAND_OPTIONS>

interface Got {
  /** Vectors as arrays, which JSON writes as such. */
  readonly found: readonly (Omit<StoredVector, 'vector'> & { readonly vector: readonly number[] })[]
  /** Ids that the index has not. */
  readonly missing: readonly Id[]
}

export const getCommand: CommandBody<GetFlags, Got> = { run, print }

async function run({ path, id, json }: GetFlags, session: Session): Promise<Got> {
  const { openToRead } = await import('../../search/view/open-to-read.js')
  const index = await openToRead(path)
  try {
    const ids = (typeof id === 'string' ? [id] : id).map((word) => idOfArgument(index, word))
    const found = ids.flatMap((each) => index.getAll(each))
    const known = new Set(found.map((each) => each.id))
    const missing = ids.filter((each) => !known.has(each))
    if (missing.length > 0) {
      session.exitCode = EXIT_CODES.failed
      if (!json) session.terminal.warn(`${path} has not: ${missing.join(', ')}`)
    }
    return { found: found.map((each) => ({ ...each, vector: Array.from(each.vector) })), missing }
  } finally {
    await index.close()
  }
}

/** A line of JSON for each vector, as `build` and `upsert` read them. */
function print({ found }: Got): string[] {
  return found.map((each) => JSON.stringify(each))
}
