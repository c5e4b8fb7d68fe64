import { InvalidOptionError } from '../../errors.js'
import { LIVE_FOLDER } from '../../format/live/live-paths.js'
import { readParts } from '../../format/live/parts-file.js'
import type { Metric } from '../../api/vectors.js'

/**
 * Changes lie on top of a new generation, and a writer goes on with vectors of their shape: one of another shape would
 * leave an index that nothing can open.
 * @throws InvalidOptionError when the index was changed with vectors of other dimensions, or under another metric
 */
export async function assertFitsChanges(
  indexDir: string,
  { dimensions, metric }: { readonly dimensions: number; readonly metric: Metric },
): Promise<void> {
  const settings = (await readParts(indexDir))?.settings
  if (settings === undefined || (settings.dimensions === dimensions && settings.metric === metric)) return
  throw new InvalidOptionError(
    `these vectors have ${dimensions} dimensions under ${metric}, and ${indexDir} takes changes of ` +
      `${settings.dimensions} under ${settings.metric}: build into another folder, or end its writer and delete ` +
      `its folder ${LIVE_FOLDER}, with the changes in it`,
  )
}
