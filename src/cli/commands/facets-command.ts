import type { FacetCount } from '../../api/search.js'
import type { FACETS_COMMAND_OPTIONS } from '../../options/command-options.js'
import { countText } from '../../report/number-text.js'
import type { CommandBody, OptionsOf } from '../command.js'
import { filterOfFlag } from '../flags/filter-flag.js'
import { tableLines } from '../print/table-lines.js'

type FacetsFlags = OptionsOf<typeof FACETS_COMMAND_OPTIONS>

interface Facets {
  readonly field: string
  readonly counts: readonly FacetCount[]
}

export const facetsCommand: CommandBody<FacetsFlags, Facets> = { run, print }

async function run({ path, field, filter, limit }: FacetsFlags): Promise<Facets> {
  const given = filterOfFlag(filter)
  const { openToRead } = await import('../../search/view/open-to-read.js')
  const index = await openToRead(path)
  try {
    return { field, counts: index.facets({ field, limit, ...given }) }
  } finally {
    await index.close()
  }
}

function print({ counts }: Facets): string[] {
  const rows = counts.map(({ value, count }) => [
    typeof value === 'object' ? value.toISOString() : String(value),
    countText(count),
  ])
  return tableLines(rows, [1])
}
