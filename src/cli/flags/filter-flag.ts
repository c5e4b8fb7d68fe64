import type { Filter } from '../../api/fields.js'
import { InvalidOptionError } from '../../errors.js'
import { messageOf } from '../../runtime/realms.js'

/** What --filter says. The index checks what is in it. @throws InvalidOptionError when it is not JSON */
export function filterOfFlag(text: string | undefined): { readonly filter?: Filter } {
  if (text === undefined) return {}
  try {
    return { filter: JSON.parse(text) as Filter }
  } catch (error) {
    throw new InvalidOptionError(
      `--filter must be JSON such as '{"category":"news","price":{"$lt":20}}', got ${JSON.stringify(text)}: ${messageOf(error)}`,
      error,
    )
  }
}
